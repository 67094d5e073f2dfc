"""What an import writes, and what a second one leaves alone."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prompts import indexing, trash
from prompts.exchange import importing
from prompts.exchange.import_files import Refusal
from prompts.exchange.importing import ImportResult, guess_language
from prompts.models import Prompt, PromptEmbedding, PromptVersion, User
from prompts.rendering import messages

pytestmark = pytest.mark.django_db

Import = Callable[..., ImportResult]


def row(title: str, content: str | None = None, **more: Any) -> dict[str, Any]:
    return {"title": title, "content": content or f"Content of {title}", **more}


@pytest.fixture
def bring(tmp_path: Path, user: User) -> Import:
    """Import these rows from a file."""

    def bring(*rows: dict[str, Any], file: str = "rows.json", **options: Any) -> ImportResult:
        path = tmp_path / file
        path.write_text(json.dumps(rows))
        return importing.import_file(path, user, **options)

    return bring


def names() -> set[str]:
    return set(Prompt.objects.values_list("name", flat=True))


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.failed)


def test_rows_become_prompts_with_versions_in_the_index(bring: Import, user: User) -> None:
    rows = [
        row(
            "Résumé", folder="writing", tags=["cv"], status="draft", language="en", metadata={"a": 1}, extra=2
        ),
        row("要約する", "次の記事を要約してください。"),
    ]
    assert counts(bring(*rows)) == (2, 0, 0, 0)
    prompt = Prompt.objects.get(name="writing/Résumé")
    assert (prompt.user, prompt.source, prompt.status, prompt.language) == (user, "rows.json", "draft", "en")
    assert (prompt.tags, prompt.metadata) == (["cv"], {"a": 1, "extra": 2})
    assert prompt.versions.get().message == "Imported from rows.json"
    assert Prompt.objects.get(name="要約する").language == "ja"
    assert Prompt.objects.get(name="要約する").status == "active"
    assert indexing.count_outdated() == 0


def test_importing_again_changes_nothing(bring: Import) -> None:
    rows = [row("a"), row("b", name="named/b"), row("a", "other"), row("c", "Content of a")]
    assert counts(bring(*rows)) == (3, 0, 1, 0)
    before = list(Prompt.objects.values()), list(PromptVersion.objects.values("pk"))
    for _ in range(2):
        assert counts(bring(*rows)) == (0, 0, 4, 0)
    assert (list(Prompt.objects.values()), list(PromptVersion.objects.values("pk"))) == before


def test_the_same_content_is_one_prompt_whatever_its_title_and_source(bring: Import) -> None:
    assert counts(bring(row("a", "same"), row("b", "same"))) == (1, 0, 1, 0)
    assert counts(bring(row("c", "same"), file="other.json")) == (0, 0, 1, 0)
    assert names() == {"a"}


def test_names_come_from_titles(bring: Import) -> None:
    titles = ["a/b|c", "  two \t spaces ", "line\nbreak", "///", "\u200b", "x" * 255, "a/b|c", "a-b-c"]
    result = bring(*(row(title, str(number)) for number, title in enumerate(titles)))
    assert counts(result) == (8, 0, 0, 0)
    assert names() == {
        "a-b-c",
        "two spaces",
        "line break",
        "---",
        "prompt",
        "x" * 255,
        "a-b-c (2)",
        "a-b-c (3)",
    }


def test_a_taken_name_is_numbered_within_its_length(bring: Import) -> None:
    title = "é" * 255
    bring(row(title, "one"), row(title, "two"), row(title, "three"))
    assert names() == {title, "é" * 251 + " (2)", "é" * 251 + " (3)"}
    for prompt in Prompt.objects.all():
        prompt.full_clean()


def test_folders_are_kept_and_cleaned(bring: Import) -> None:
    folders = ["a/b", "/a//b/", "a|b", "  ", "x" * 300]
    bring(*(row("t", str(number), folder=folder) for number, folder in enumerate(folders)))
    assert names() == {"a/b/t", "a/b/t (2)", "a-b/t", "t", "x" * 255}


def test_a_row_with_a_name_updates_the_prompt_of_that_name(bring: Import, make: Any) -> None:
    prompt = make("mine", "first", status="draft")
    assert counts(bring(row("New title", "second", name="mine", tags=["t"]))) == (0, 1, 0, 0)
    prompt.refresh_from_db()
    assert (prompt.title, prompt.content, prompt.version, prompt.tags) == ("New title", "second", 2, ["t"])
    assert counts(bring(row("New title", "second", name="mine"))) == (0, 0, 1, 0)


def test_updating_keeps_the_author(bring: Import) -> None:
    owner = User.objects.create_user("owner", "owner@example.com")
    prompt = Prompt.objects.create(user=owner, name="n", title="N", content="first")
    bring(row("N", "second", name="n"))
    prompt.refresh_from_db()
    assert prompt.user == owner
    assert prompt.versions.first().author.username == "aoi"


@pytest.mark.parametrize("source", ["rows.json", "other.json"])
@pytest.mark.parametrize(
    "changes", [{"content": "edited"}, {"title": "Edited"}, {"content": "edited", "title": "Edited"}]
)
def test_an_edit_is_neither_overwritten_nor_doubled(
    bring: Import, changes: dict[str, str], source: str
) -> None:
    rows = [row("named", name="n"), row("unnamed")] if source == "rows.json" else [row("named", name="n")]
    bring(*rows)
    for prompt in Prompt.objects.all():
        for field, value in changes.items():
            setattr(prompt, field, f"{value} {prompt.name}")
        prompt.save()
    before = list(Prompt.objects.values())
    assert counts(bring(*rows, file=source)) == (0, 0, len(rows), 0)
    assert list(Prompt.objects.values()) == before


def test_a_renamed_prompt_is_not_imported_again(bring: Import) -> None:
    bring(row("a"), row("b", name="b"))
    for prompt in Prompt.objects.all():
        prompt.name = f"moved/{prompt.name}"
        prompt.save()
    assert counts(bring(row("a"), row("b", name="b"))) == (0, 0, 2, 0)
    assert names() == {"moved/a", "moved/b"}


def test_a_name_that_occurs_twice_is_refused_every_time(bring: Import) -> None:
    rows = [
        row("a", "one", name="n"),
        row("b", "two", name="n"),
        row("c", "one", name="n"),
        row("T", "t"),
        row("u", name="T"),
    ]
    refusals = [
        Refusal(2, "name", "a name that occurs once in the file", "n"),
        Refusal(5, "name", "a name that occurs once in the file", "T"),
    ]
    first = bring(*rows)
    assert (first.created, first.updated, first.unchanged, first.failed) == (2, 0, 1, refusals)
    again = bring(*rows)
    assert (again.created, again.updated, again.unchanged, again.failed) == (0, 0, 3, refusals)
    assert Prompt.objects.get(name="n").content == "one"


BAD = [
    ({"title": ""}, "title", "some text", "none"),
    ({"title": "  "}, "title", "some text", "none"),
    ({"title": "x" * 256}, "title", "at most 255 characters", "256"),
    ({"title": "a\0b"}, "title", "text without NUL characters", "one at position 1"),
    ({"content": "  "}, "content", "some text", "none"),
    ({"content": "x" * 1_000_001}, "content", "at most 1,000,000 characters", "1,000,001"),
    ({"content": "a\0b"}, "content", "text without NUL characters", "one at position 1"),
    ({"content": "\ud800"}, "content", "Unicode text", "a lone surrogate"),
    ({"title": "\udc00"}, "title", "Unicode text", "a lone surrogate at position 0"),
    ({"name": "a|b"}, "name", "a name without '|'", "'a|b'"),
    ({"name": "a//b"}, "name", "a name, or folders and a name separated by single slashes", "'a//b'"),
    ({"language": "x" * 17}, "language", "a language code of at most 16 characters", "'xxxxxxxxxxxxxxxxx'"),
    ({"language": "\0"}, "language", "text without NUL characters", "one at position 0"),
    ({"language": "\ud800"}, "language", "Unicode text", "a lone surrogate at position 0"),
    ({"tags": [1]}, "tags", "a list of texts", "one with int"),
    ({"tags": ["a"] * 51}, "tags", "at most 50 tags", "51"),
    ({"metadata": {"a": "\ud800"}}, "metadata", None, None),
]


@pytest.mark.parametrize(("values", "field", "expected", "got"), BAD)
def test_a_wrong_row_is_refused_and_the_rest_kept(
    bring: Import, values: dict[str, Any], field: str, expected: str | None, got: str | None
) -> None:
    result = bring(row("good"), row("bad") | values, row("also good"))
    [refusal] = result.failed
    assert (refusal.line, refusal.field) == (2, field)
    if expected:
        assert (refusal.expected, refusal.got) == (expected, got)
    assert names() == {"good", "also good"}
    assert PromptVersion.objects.count() == 2


def test_strict_writes_nothing_where_a_row_is_refused(bring: Import) -> None:
    result = bring(row("good"), row(""), strict=True)
    assert counts(result) == (0, 0, 0, 1)
    assert not Prompt.objects.exists()
    assert counts(bring(row("good"), strict=True)) == (1, 0, 0, 0)


def test_a_dry_run_counts_and_writes_nothing(bring: Import) -> None:
    bring(row("old"), row("named", name="n"))
    before = list(Prompt.objects.values()), PromptVersion.objects.count(), PromptEmbedding.objects.count()
    rows = [row("old"), row("named", "new content", name="n"), row("new"), row("")]
    assert counts(bring(*rows, dry_run=True)) == (1, 1, 1, 1)
    after = list(Prompt.objects.values()), PromptVersion.objects.count(), PromptEmbedding.objects.count()
    assert before == after
    assert counts(bring(*rows)) == (1, 1, 1, 1)


def test_a_file_longer_than_a_transaction(bring: Import) -> None:
    rows = [row(f"p{number}") for number in range(250)]
    seen: list[str] = []

    def track(prompts: Any, label: str) -> Any:
        seen.append(f"{label} {len(prompts)}")
        return prompts

    assert counts(bring(*rows, track=track)) == (250, 0, 0, 0)
    assert seen == ["Importing 250", "Embedding 250"]
    assert counts(bring(*rows)) == (0, 0, 250, 0)


def test_a_large_field_comes_through_csv(tmp_path: Path, user: User) -> None:
    path = tmp_path / "large.csv"
    content = '行 "quoted", and\nlines ' * 20_000
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["act", "prompt"], ["Large", content]])
    assert counts(importing.import_file(path, user)) == (1, 0, 0, 0)
    assert Prompt.objects.get().content == content


def test_nul_in_csv_is_refused(tmp_path: Path, user: User) -> None:
    path = tmp_path / "nul.csv"
    path.write_bytes(b"title,content\na,A\x00A\nb,B\n")
    result = importing.import_file(path, user)
    assert result.failed == [Refusal(2, "content", "text without NUL characters", "one at position 1")]
    assert names() == {"b"}


def test_the_samples_are_prompts_in_two_languages(user: User) -> None:
    result = importing.import_file(importing.SAMPLES, user, source="samples")
    assert result.failed == []
    assert result.created == Prompt.objects.count() > 50
    assert {"en", "ja"} <= set(Prompt.objects.values_list("language", flat=True))
    for prompt in Prompt.objects.all():
        prompt.full_clean()


@pytest.mark.parametrize(
    ("text", "language"),
    [("これ", "ja"), ("カタカナ", "ja"), ("한국어", "ko"), ("要約", ""), ("English", ""), ("Ünïcödé", "")],
)
def test_only_letters_of_one_language_tell_it(text: str, language: str) -> None:
    assert guess_language(text) == language


def test_contents_are_held_to_the_rules_of_prompts(bring: Import, user: User) -> None:
    chat = messages.dump([{"role": "user", "content": "x"}])
    made = [
        Prompt(user=user, name="chat", title="C", type="chat", content=chat),
        Prompt(user=user, name="typed", title="T", content="{{a}}", variables={"a": {"type": "number"}}),
    ]
    for prompt in made:
        prompt.save(index=False)
    result = bring(
        row("C", "a text", name="chat"),
        row("T", "no variable", name="typed"),
        row("V", "".join(f"{{{{v{n}}}}}" for n in range(201)), name="many"),
        row("R", "@@@prompt:name=a@@@", name="reference"),
        row("D", "x", name="a/../b"),
        row("Fine", "{{b}}", name="fine"),
    )
    assert [(one.line, one.field) for one in result.failed] == [
        (1, "content"),
        (2, "variables"),
        (3, "content"),
        (4, "content"),
        (5, "name"),
    ]
    assert (result.created, result.updated) == (1, 0)
    assert Prompt.objects.get(name="chat").content == chat


def test_a_title_of_dots_makes_a_name_that_can_be_found(bring: Import) -> None:
    assert counts(bring(row("..", folder="a/../b"), row("."))) == (2, 0, 0, 0)
    assert names() == {"a/b/prompt", "prompt"}


def test_what_is_in_the_trash_is_imported_anew(bring: Import) -> None:
    bring(row("A"))
    trash.delete_prompt(Prompt.objects.get(), actor=None)
    assert counts(bring(row("A"))) == (1, 0, 0, 0)
    assert (Prompt.objects.count(), Prompt.everything.count()) == (1, 2)


def test_a_prompt_with_a_configuration_is_left_alone_by_a_second_import(bring: Import) -> None:
    bring(row("A", "old", name="a"))
    prompt = Prompt.objects.get()
    prompt.config, prompt.content = {"t": 1}, "edited"
    prompt.save(index=False)
    assert counts(bring(row("A", "new", name="a"))) == (0, 1, 0, 0)
    assert counts(bring(row("A", "new", name="a"))) == (0, 0, 1, 0)
    assert Prompt.objects.get().config == {"t": 1}
