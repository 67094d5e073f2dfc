"""Datasets made and filled in the console, and outputs pasted into a run without a model."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from prompts.evaluating import runs
from prompts.models import Dataset, DatasetItem, EvaluationRun, Prompt, User

from .conftest import text_of

ADD = "/admin/prompts/dataset/add/"
CSV = 'text,Expected,key\r\n"Hello, you",Bonjour,greeting\r\n=1+1,,\r\n"Two\r\nlines",x,\r\n'
SCRIPT = "<script>alert(1)</script>"


def page(dataset: Dataset, name: str = "change") -> str:
    return reverse(f"admin:prompts_dataset_{name}", args=[dataset.pk])


def items_of(dataset: Dataset) -> dict[str, tuple[Any, Any]]:
    return {item.key: (item.variables, item.expected) for item in dataset.items.order_by("key")}


@pytest.mark.parametrize("way", ["box", "file"])
def test_a_dataset_is_made_from_csv(admin: Client, aoi: User, way: str) -> None:
    content = (
        {"items": CSV}
        if way == "box"
        else {"file": SimpleUploadedFile("a.csv", b"\xef\xbb\xbf" + CSV.encode())}
    )

    answer = admin.post(ADD, {"name": "greetings", "description": "Of ours", **content}, follow=True)

    dataset = Dataset.objects.get()
    assert answer.redirect_chain == [(page(dataset), 302)]
    assert (dataset.name, dataset.description, dataset.user) == ("greetings", "Of ours", aoi)
    assert items_of(dataset) == {
        "0001": ({"text": "=1+1"}, None),  # a formula is a text, and no expectation is none
        "0002": ({"text": "Two\nlines"}, "x"),
        "greeting": ({"text": "Hello, you"}, "Bonjour"),
    }
    assert "It has 3 items." in text_of(answer)
    assert "/admin/prompts/evaluationrun/add/?dataset=greetings" in text_of(answer)


def test_a_dataset_is_made_from_lines_of_json_as_the_api_takes_them(admin: Client) -> None:
    first = {"key": "q1", "variables": {"n": 1}, "expected": {"sum": 2}, "metadata": {"by": "us"}}
    lines = f"{json.dumps(first)}\n\n" + '{"variables": {"n": 2}}'

    admin.post(ADD, {"name": "sums", "items": lines})

    assert items_of(Dataset.objects.get()) == {"0001": ({"n": 2}, None), "q1": ({"n": 1}, {"sum": 2})}
    assert DatasetItem.objects.get(key="q1").metadata == {"by": "us"}


def test_cells_copied_from_a_sheet_come_with_tabs(admin: Client) -> None:
    admin.post(ADD, {"name": "sheet", "items": "text\texpected\nA, b\tc"})

    assert items_of(Dataset.objects.get()) == {"0001": ({"text": "A, b"}, "c")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("text,expected\na,b\nc", "Line 3, row: expected 2 cells, got 1 cell."),
        ('text\n"a', "Line 2, row: expected a row of CSV, got unexpected end of data."),
        ("text,text\na,b", "Line 1, text: expected columns that occur once, got it twice."),
        ("text,\na,b", "Line 1, column 2: expected the name of a variable, key or expected, got nothing."),
        (",".join(f"c{at}" for at in range(10_000)), "Line 1, columns: expected at most 200 variables"),
        ("text", "Line 1, items: expected an item at least, got none."),
        ("text\n" + "a\n" * 1_001, "Line 1,002, items: expected at most 1,000 items at a time, got more."),
        (f"key\nq\n{'k' * 256}", "Line 3, key: expected at most 255 characters, got 256."),
        (f"text\na\n{'a' * 70_000}", "Line 3, variables: expected text of 0 to 65,536 characters"),
        ("text\n" + "a" * 200_000, "Line 2, "),
        ('{"key": "a"}\n{"key": }', "Line 2, item: expected a JSON object in one line, got {&quot;"),
        ('{"key": "a", "key": "b"}', "the member"),
        ('{"key": 1}', "Line 1, key: expected a text, got 1."),
        ('{"key": ""}', "Line 1, key: expected some text, got none."),
        ('{"variables": []}', "Line 1, variables: expected a JSON object, got a list."),
        ('{"vars": {}}', "Line 1, vars: expected one of key, variables, placeholders,"),
        ('{"key": "a"}\n{"expected": NaN}', "Line 2, item: expected a JSON object in one line"),
        ('{"key": "\\ud800"}', "Line 1, key: expected Unicode text, got a lone surrogate at position 0."),
        ('{"variables": {"a": "\\u0000"}}', "Line 1, variables: expected text without NUL"),
        ('{"expected": ' + "[" * 5_000 + "]" * 5_000 + "}", "Line 1, "),
        ('[{"key": "a"}]', "Line 1, items: expected a JSON object a line, or CSV, got a JSON list."),
        (SCRIPT + ",b\n1", "Line 2, row: expected 2 cells, got 1 cell."),
        ("text\na\0b", "Null characters are not allowed."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_written(admin: Client, text: str, told: str) -> None:
    answer = admin.post(ADD, {"name": "broken", "description": "Kept", "items": text})

    assert answer.status_code == 200
    assert told in text_of(answer), answer.context["form"].errors
    assert not Dataset.objects.exists()
    assert answer.context["form"]["items"].value() == text
    assert "Kept</textarea>" in text_of(answer)
    assert SCRIPT not in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("text\nd\u00e9j\u00e0".encode("latin-1"), "Expected UTF-8 text, got byte 0xe9 at position 6."),
        ("text\na".encode("utf-16"), "Expected UTF-8 text, got byte 0xff at position 0."),
        (b"a" * 2_000, "Expected a file of at most 1,000 bytes, got 2,000."),
        (b"text\na\0b", "Line 2, variables: expected text without NUL"),
        (b"", "empty"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_apart(
    admin: Client, settings: Settings, content: bytes, told: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000

    answer = admin.post(ADD, {"name": "broken", "file": SimpleUploadedFile("a.csv", content)})

    assert told in text_of(answer)
    assert [*answer.context["form"].errors] == ["file"]
    assert not Dataset.objects.exists()


def test_box_and_file_at_once_and_names_that_do_not_do_are_refused(admin: Client) -> None:
    both = admin.post(ADD, {"name": "a", "items": "x\n1", "file": SimpleUploadedFile("a.csv", b"x\n1")})
    Dataset.objects.create(name="taken")

    assert [*both.context["form"].errors] == ["file"]
    for name in ("", "a/b", "taken", "n" * 129):
        assert [*admin.post(ADD, {"name": name, "items": "x\n1"}).context["form"].errors] == ["name"], name
    assert Dataset.objects.count() == 1


def test_who_may_only_make_datasets_fills_none(staff: Callable[..., Client]) -> None:
    client = staff("view_dataset", "add_dataset")
    assert [*client.get(ADD).context["form"].fields] == ["name", "description"]

    client.post(ADD, {"name": "empty", "items": "text\na"})

    dataset = Dataset.objects.get()
    assert not dataset.items.exists()
    assert client.post(page(dataset, "items"), {"items": "text\na"}).status_code == 403
    assert "Add items" not in text_of(client.get(page(dataset)))


def test_items_are_added_and_replaced_but_never_by_their_number(admin: Client) -> None:
    dataset = Dataset.objects.create(name="questions")
    for key in ("0001", "0003", "q1"):
        DatasetItem.objects.create(dataset=dataset, key=key, variables={"text": "old"})

    answer = admin.post(page(dataset, "items"), {"items": "key,text\nq1,new\n,a\n,b\n0005,c"}, follow=True)

    assert "Added: 3; replaced: 1. It has 6 items." in text_of(answer)
    wanted = {"0001": "old", "0003": "old", "0004": "a", "0005": "c", "0006": "b", "q1": "new"}
    assert {key: variables["text"] for key, (variables, _) in items_of(dataset).items()} == wanted
    refused = admin.post(page(dataset, "items"), {"items": "key,text\nq2"})
    assert "Line 2, row: expected 2 cells, got 1 cell." in text_of(refused)
    assert "key,text q2</textarea>" in text_of(refused)
    assert dataset.items.count() == 6


@pytest.fixture
def run(make: Callable[..., Prompt]) -> EvaluationRun:
    """Which waits for 30 outputs."""
    prompt = make("sums/add", "Add {{numbers}}.")
    dataset = Dataset.objects.create(name="sums")
    DatasetItem.objects.bulk_create(
        DatasetItem(dataset=dataset, key=f"q{at:02}", variables={"numbers": SCRIPT}, expected=str(at))
        for at in range(30)
    )
    metrics = [{"type": "exact_match"}]
    return runs.create_run(prompt, prompt.versions.get(), dataset, metrics, user=prompt.user)


def address(run: EvaluationRun, name: str = "change") -> str:
    return reverse(f"admin:prompts_evaluationrun_{name}", args=[run.pk])


def test_outputs_are_pasted_and_judged_and_what_is_empty_stays_open(
    admin: Client, run: EvaluationRun, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin.get(address(run))
    with django_assert_num_queries(13):
        first = admin.get(address(run))
    assert [one.key for one in first.context["open_items"]] == [f"q{at:02}" for at in range(25)]
    assert "Paste outputs below, or send them by the API" in text_of(first)
    assert SCRIPT not in first.content.decode()
    more = admin.get(f"{address(run)}?after={first.context['open_after']}").context
    assert ([one.key for one in more["open_items"]], more["open_after"]) == (
        ["q25", "q26", "q27", "q28", "q29"],
        "",
    )

    sent = {"item": ["q00", "q01", "q02"], "output": ["0", " \r\n", "No\r\nidea"]}
    answer = admin.post(address(run, "outputs"), sent, follow=True)

    assert "2 outputs were stored." in text_of(answer)
    assert dict(run.outputs.values_list("item", "output")) == {"q00": "0", "q02": "No\nidea"}
    assert dict(run.evaluations.filter(name="").values_list("item", "score")) == {"q00": 1.0, "q02": 0.0}
    assert answer.context["open_items"][0].key == "q01"
    again = admin.post(address(run, "outputs"), {"item": ["q00", "q03"], "output": ["1", "3"]}, follow=True)
    assert "1 output was stored. 1 was left alone" in text_of(again)
    rest = [one.key for one in runs.open_items(run)]
    last = admin.post(address(run, "outputs"), {"item": rest, "output": ["x"] * len(rest)}, follow=True)
    assert last.context["run"].status == "done"
    assert "Items that wait" not in text_of(last)


@pytest.mark.parametrize(
    ("item", "output", "told"),
    [
        ("q01", "a\0b", "Expected text without NUL characters, got one at position 1."),
        ("q01", "a" * 1_000_001, "Expected at most 1,000,000 characters, got 1,000,001."),
        (SCRIPT, "a", "Expected an item of sums, got"),
    ],
)
def test_an_output_that_is_refused_says_so_at_its_item_and_loses_nothing(
    admin: Client, run: EvaluationRun, item: str, output: str, told: str
) -> None:
    answer = admin.post(address(run, "outputs"), {"item": ["q00", item], "output": ["Kept", output]})

    assert [(one.key, one.output, bool(one.problem)) for one in answer.context["open_items"]] == [
        ("q00", "Kept", False),
        (item, output, True),
    ]
    assert told in text_of(answer)
    assert SCRIPT not in answer.content.decode()
    assert not run.outputs.exists()


def test_outputs_for_a_run_that_is_over_are_shown_again(admin: Client, run: EvaluationRun) -> None:
    runs.cancel(run)

    answer = admin.post(address(run, "outputs"), {"item": ["q00"], "output": ["Kept"]})

    assert "got one that is cancelled" in text_of(answer)
    assert answer.context["open_items"][0].output == "Kept"
    assert admin.post(address(run, "outputs"), {"item": ["q00"]}).status_code == 400
    assert admin.post(address(run, "outputs"), {"item": ["\0"], "output": ["a"]}).status_code == 400


def test_who_may_not_send_outputs_sees_no_boxes(staff: Callable[..., Client], run: EvaluationRun) -> None:
    client = staff("view_evaluationrun")

    assert "It waits for outputs: send them by" in text_of(client.get(address(run)))
    assert "Send outputs" not in text_of(client.get(address(run)))
    assert client.post(address(run, "outputs"), {"item": ["q00"], "output": ["0"]}).status_code == 403


def test_what_changed_last_is_offered_first_to_a_run(admin: Client, run: EvaluationRun) -> None:
    Dataset.objects.create(name="newest")

    offered = admin.get("/admin/prompts/evaluationrun/add/").context["datasets"]

    assert list(offered) == ["newest", "sums"]
