"""Evaluations in the console: of a prompt, runs, datasets, comparisons by pairs, split tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from prompts import splits
from prompts.evaluating import runs
from prompts.labels import labels_of, move_label
from prompts.models import (
    Dataset,
    DatasetItem,
    Evaluation,
    EvaluationRun,
    LabelPolicy,
    LabelSplit,
    Prompt,
    SplitSubject,
    User,
)

from .conftest import text_of

SCRIPT = "<script>alert(1)</script>"
METRICS = [{"type": "exact_match"}, {"type": "contains", "ignore_case": True}]
RUNS = "/admin/prompts/evaluationrun/"


def page(prompt: Prompt, name: str, query: str = "") -> str:
    return reverse(f"admin:prompts_prompt_{name}", args=[prompt.pk]) + query


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    """Of two versions, the first of which is in production."""
    made = make("support/triage", "Sort {{text}}")
    made.content = "Sort {{text}} by topic"
    made.save(index=False)
    move_label(made, "production", 1, actor=None)
    return made


@pytest.fixture
def dataset(aoi: User) -> Dataset:
    made = Dataset.objects.create(name="questions", user=aoi)
    for number in range(12):
        DatasetItem.objects.create(
            dataset=made,
            key=f"q{number:02}",
            variables={"text": f"{SCRIPT} {number}"},
            expected={"n": number},
        )
    return made


def run_of(prompt: Prompt, number: int, dataset: Dataset, right: int, **values: Any) -> EvaluationRun:
    """A run that is done, with so many right answers."""
    version = prompt.versions.get(version=number)
    run = runs.create_run(prompt, version, dataset, METRICS, user=prompt.user, **values)
    outputs = [f'{{"n": {at if at < right else -1}}}' for at in range(12)]
    runs.add_results(
        run,
        [runs.Result(f"q{at:02}", output, tokens_in=10, tokens_out=5) for at, output in enumerate(outputs)],
    )
    return EvaluationRun.objects.get(pk=run.pk)


def test_a_prompt_without_scores_says_how_to_get_some(admin: Client, prompt: Prompt) -> None:
    answer = text_of(admin.get(page(prompt, "evaluations")))

    assert f"{RUNS}add/?prompt=support/triage" in answer or f"{RUNS}add/?prompt=support%2Ftriage" in answer


def test_the_scores_of_versions_are_drawn_with_their_intervals(
    admin: Client, prompt: Prompt, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run_of(prompt, 1, dataset, 4)
    run_of(prompt, 2, dataset, 10)
    admin.get(page(prompt, "evaluations"))
    with django_assert_num_queries(11):
        answer = admin.get(page(prompt, "evaluations"))

    points = answer.context["chart"].series[0].points
    assert [point.x for point in points] == ["v1", "v2"]
    assert points[1].low < points[1].y < points[1].high
    assert [row["n"] for row in answer.context["rows"]] == [12, 12]
    assert answer.context["rows"][0]["change"] > 0
    other = admin.get(page(prompt, "evaluations", "?name=exact_match"))
    assert other.context["chart"].series[0].points[0].y == pytest.approx(4 / 12)
    assert admin.get(page(prompt, "evaluations", "?name=nothing")).context["name"] == ""


def test_two_versions_are_compared_on_the_same_items(
    admin: Client, prompt: Prompt, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run_of(prompt, 1, dataset, 4)
    run_of(prompt, 2, dataset, 10)
    query = "?from=2&to=1&name=exact_match"
    admin.get(page(prompt, "comparison", query))
    with django_assert_num_queries(19):
        answer = admin.get(page(prompt, "comparison", query))

    test = answer.context["test"]
    assert (test.n, test.wins, test.losses) == (12, 0, 6)
    assert test.low <= test.estimate == -0.5 <= test.high < 0
    shown = answer.context["shown_items"]
    assert [one.pair.item for one in shown] == [f"q{number:02}" for number in range(4, 10)]
    assert shown[0].old.output.output == '{"n": 4}'
    assert shown[0].item.expected == '{\n "n": 4\n}'
    assert SCRIPT not in answer.content.decode()
    better = admin.get(page(prompt, "comparison", f"{query}&show=better"))
    assert better.context["shown_items"] == []
    assert admin.get(page(prompt, "comparison", "?from=1&to=8")).status_code == 404


def test_versions_without_items_in_common_are_told_apart(admin: Client, prompt: Prompt) -> None:
    assert "No items in common" in text_of(admin.get(page(prompt, "comparison", "?from=1&to=2")))


def test_the_list_of_runs_costs_no_more_with_more_of_them(
    admin: Client, prompt: Prompt, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run_of(prompt, 1, dataset, 4, name=SCRIPT)
    admin.get(RUNS)
    with django_assert_num_queries(8) as few:
        admin.get(RUNS)
    for number in range(8):
        run_of(prompt, 2, dataset, number)

    with django_assert_num_queries(len(few)):
        answer = admin.get(RUNS)

    assert len(answer.context["cl"].result_list) == 9
    assert SCRIPT not in answer.content.decode()
    assert len(admin.get(f"{RUNS}?prompt={prompt.pk}&status=done").context["cl"].result_list) == 9
    assert len(admin.get(f"{RUNS}?prompt={'0' * 32}").context["cl"].result_list) in (0, 9)


def test_the_list_of_scores_costs_no_more_with_more_of_them(
    admin: Client, prompt: Prompt, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = "/admin/prompts/evaluation/"
    Evaluation.objects.create(prompt=prompt, score=0.5, metrics={"reason": SCRIPT})
    admin.get(address)
    with django_assert_num_queries(4) as few:
        admin.get(address)
    run_of(prompt, 1, dataset, 4)

    with django_assert_num_queries(len(few)):
        answer = admin.get(f"{address}?score=0-0.5")

    assert SCRIPT not in answer.content.decode()


def test_a_run_shows_its_metrics_and_the_items_that_did_badly(
    admin: Client, prompt: Prompt, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = run_of(prompt, 1, dataset, 9)
    address = f"{RUNS}{run.pk}/change/"
    admin.get(address)
    with django_assert_num_queries(15):
        answer = admin.get(address)

    assert [shown for shown, _ in answer.context["metrics"]] == ["Main score", "contains", "exact_match"]
    assert [one["key"] for one in answer.context["items"]] == ["q09", "q10", "q11"]
    assert answer.context["items"][0]["said"][0][2] == '{"n": 9}'
    assert answer.context["figures"].tokens == 180
    assert sum(point.y for point in answer.context["spread_chart"].series[0].points) == 12
    assert len(admin.get(f"{address}?below=1").context["items"]) == 12
    for query in ("?below=nan", "?below=x", "?page=9999999", "?name=nothing"):
        assert admin.get(address + query).status_code == 200
    assert admin.post(address).status_code == 403


def test_two_runs_are_compared_and_others_are_not_there(
    admin: Client, prompt: Prompt, dataset: Dataset
) -> None:
    old, new = run_of(prompt, 1, dataset, 4), run_of(prompt, 1, dataset, 10, name="Again")

    answer = admin.get(f"{RUNS}compare/?from={old.pk}&to={new.pk}&name=exact_match&show=all&page=2")

    assert (answer.context["test"].wins, answer.context["page"]) == (6, 2)
    assert len(answer.context["shown_items"]) == 2
    assert admin.get(f"{RUNS}compare/?from={old.pk}&to=x").status_code == 404


def test_a_run_is_begun_from_the_console(
    admin: Client, prompt: Prompt, dataset: Dataset, settings: Settings
) -> None:
    assert 'value="support/triage"' in text_of(admin.get(f"{RUNS}add/?prompt=support/triage"))

    answer = admin.post(
        f"{RUNS}add/",
        {
            "prompt": "support/triage", "dataset": "questions", "name": "First", "exact_match": "on",
            "regex": "^{", "length_max": "100", "more": '[{"type": "contains"}]',
        },
    )  # fmt: skip

    assert answer.status_code == 302, answer.context["form"].errors
    run = EvaluationRun.objects.get()
    assert answer["Location"] == f"{RUNS}{run.pk}/change/"
    assert (run.version.version, run.name, run.status, run.total) == (2, "First", "running", 12)
    assert [metric["type"] for metric in run.metrics] == ["exact_match", "regex", "length", "contains"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"prompt": "nothing"}, "prompt"),
        ({"version": "9"}, "version"),
        ({"dataset": "nothing"}, "dataset"),
        ({"dataset": "empty"}, "dataset"),
        ({"exact_match": ""}, "exact_match"),
        ({"regex": "("}, "regex"),
        ({"more": "{"}, "more"),
        ({"more": '[{"type": "nothing"}]'}, "more"),
        ({"judge": "Polite"}, "judge_model"),
        ({"model": "unknown", "budget": "1"}, "budget"),
    ],
)
def test_what_is_wrong_with_a_run_is_told_at_its_field(
    admin: Client, prompt: Prompt, dataset: Dataset, values: dict[str, str], field: str
) -> None:
    Dataset.objects.create(name="empty")
    given = {"prompt": "support/triage", "dataset": "questions", "exact_match": "on", **values}

    answer = admin.post(f"{RUNS}add/", {name: value for name, value in given.items() if value})

    assert answer.status_code == 200
    assert [*answer.context["form"].errors] == [field]
    assert f'aria-describedby="{field}-problem {field}-help"' in answer.content.decode()
    assert not EvaluationRun.objects.exists()


def test_a_run_is_watched_and_cancelled(admin: Client, prompt: Prompt, dataset: Dataset) -> None:
    version = prompt.versions.get(version=1)
    run = runs.create_run(prompt, version, dataset, METRICS, user=prompt.user)
    progress = admin.get(f"{RUNS}{run.pk}/progress/")

    assert "hx-trigger" in progress.content.decode()
    assert "HX-Refresh" not in progress
    assert "support/triage" in text_of(admin.get(f"{RUNS}running/"))
    assert admin.get(f"{RUNS}{run.pk}/cancel/").status_code == 403
    assert "was cancelled" in text_of(admin.post(f"{RUNS}{run.pk}/cancel/", follow=True))
    assert admin.get(f"{RUNS}{run.pk}/progress/")["HX-Refresh"] == "true"
    assert "got one that is cancelled" in text_of(admin.post(f"{RUNS}{run.pk}/cancel/", follow=True))


def test_items_of_a_dataset_are_read_page_by_page(
    admin: Client, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    DatasetItem.objects.bulk_create(DatasetItem(dataset=dataset, key=f"r{at:03}") for at in range(80))
    address = reverse("admin:prompts_dataset_change", args=[dataset.pk])
    admin.get(address)
    with django_assert_num_queries(6):
        answer = admin.get(address)

    assert len(answer.context["items"]) == 50
    more = admin.get(f"{address}?after={answer.context['next_after']}")
    assert [len(more.context["items"]), more.context["next_after"]] == [42, ""]
    assert len(admin.get(f"{address}?q=q").context["items"]) == 12
    assert SCRIPT not in answer.content.decode()
    assert admin.get(reverse("admin:prompts_dataset_changelist")).status_code == 200


def start(**values: Any) -> dict[str, Any]:
    arms = {"version_1": "2", "weight_1": "50", "control": "50"}
    return {"act": "start", "label": "production", "alpha": "0.05", **arms, **values}


def subjects(split: LabelSplit, arm: int, outcomes: list[float], **values: Any) -> None:
    SplitSubject.objects.bulk_create(
        SplitSubject(
            split=split, subject=f"{arm} {at}", arm=arm, outcome=outcome, outcome_at=timezone.now(), **values
        )
        for at, outcome in enumerate(outcomes)
    )


def test_a_split_is_started_looked_at_and_ended_with_a_winner(
    admin: Client, prompt: Prompt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert admin.post(page(prompt, "split"), start(reason=SCRIPT)).status_code == 302
    split = LabelSplit.objects.get()
    assert [arm["version"] for arm in split.arms] == [1, 2]
    subjects(split, 0, [0.0] * 150 + [1.0] * 50)
    subjects(split, 1, [0.0] * 50 + [1.0] * 150)

    admin.get(page(prompt, "split"))
    with django_assert_num_queries(10):
        answer = admin.get(page(prompt, "split"))

    _, report = answer.context["running"][0]
    assert (report["stop"], report["winner"]) == (True, 2)
    point = answer.context["chart"].series[0].points[-1]
    assert point.y == pytest.approx(0.5)
    assert 0 < point.low < point.high
    assert SCRIPT not in answer.content.decode()
    ended = admin.post(
        page(prompt, "split"), {"act": "end", "label": "production", "winner": "2"}, follow=True
    )
    assert "production serves v2" in text_of(ended)
    assert labels_of(prompt)["production"] == 2
    assert not LabelSplit.objects.filter(ended_at=None).exists()


def test_a_split_ends_with_a_winner_on_evidence_only(admin: Client, prompt: Prompt) -> None:
    LabelPolicy.objects.create(name="production", evidence="better")
    arms = [{"version": 1, "weight": 50}, {"version": 2, "weight": 50}]
    splits.start_split(prompt, "production", arms, actor=None)
    form = {"act": "end", "label": "production", "winner": "2"}

    answer = admin.post(page(prompt, "split"), form, follow=True)

    assert "at least 30 items" in text_of(answer)
    assert LabelSplit.objects.get().ended_at is None
    assert labels_of(prompt)["production"] == 1
    assert "ended" in text_of(admin.post(page(prompt, "split"), form | {"winner": ""}, follow=True))
    assert labels_of(prompt)["production"] == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"label": "latest"}, "label"),
        ({"version_1": "9"}, "version_1"),
        ({"version_1": ""}, "version_1"),
        ({"weight_1": "0"}, "weight_1"),
        ({"version_3": "7", "weight_3": "5"}, "version_3"),
        ({"version_2": "1"}, "weight_2"),
        ({"alpha": "0.9"}, "alpha"),
    ],
)
def test_what_is_wrong_with_a_split_is_told_at_its_field(
    admin: Client, prompt: Prompt, values: dict[str, str], field: str
) -> None:
    answer = admin.post(page(prompt, "split"), start(**values))

    assert answer.status_code == 200
    assert [*answer.context["form"].errors] == [field]
    assert not LabelSplit.objects.exists()


def test_who_may_not_move_labels_neither_starts_nor_ends_a_split(
    staff: Callable[..., Client], prompt: Prompt
) -> None:
    client = staff("view_prompt", "change_promptlabel")  # it is another's

    assert "Start the split" not in text_of(client.get(page(prompt, "split")))
    assert client.post(page(prompt, "split"), start()).status_code == 403


def test_pages_of_evaluations_need_their_permissions(
    staff: Callable[..., Client], prompt: Prompt, dataset: Dataset
) -> None:
    run = run_of(prompt, 1, dataset, 4)
    client = staff("view_prompt", "view_dataset")
    addresses = [RUNS, f"{RUNS}add/", f"{RUNS}compare/", f"{RUNS}running/"]
    addresses += [f"{RUNS}{run.pk}/{name}/" for name in ("change", "progress", "cancel")]

    assert {client.get(address).status_code for address in addresses} == {403}
    assert client.post(f"{RUNS}{run.pk}/cancel/").status_code == 403
    assert client.get(page(prompt, "evaluations")).context["runs"] == []
    assert text_of(client.get(page(prompt, "evaluations"))).count(f"{RUNS}add/") == 0
    assert Evaluation.objects.filter(run=run).exists()
