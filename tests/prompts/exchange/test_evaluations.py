"""Evaluations in files: written once, in time order, wrong lines by number."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prompts import trash
from prompts.exchange import evaluations
from prompts.exchange.evaluations import are_new, export_evaluations, import_evaluations
from prompts.exchange.problems import ImportFileError
from prompts.models import Evaluation, Prompt
from tests.prompts.test_commands import call

pytestmark = pytest.mark.django_db

Write = Callable[..., Path]


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    prompt = make("folder/p", "1")
    prompt.content = "2"
    prompt.save(index=False)
    return prompt


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: Any, name: str = "e.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(
            b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
        )
        return path

    return write


def line(score: Any = 0.5, item: str = "i", version: Any = 1, **more: Any) -> dict[str, Any]:
    return {"prompt": "folder/p", "version": version, "item": item, "score": score, **more}


def counts(path: Path, **options: Any) -> tuple[int, int, int]:
    result = import_evaluations(path, **options)
    return result.created, result.unchanged, len(result.failed)


def stored() -> list[tuple[Any, ...]]:
    rows = Evaluation.objects.order_by("pk")
    return list(rows.values_list("version__version", "name", "item", "score", "metrics", "created_at"))


@pytest.mark.usefixtures("prompt")
def test_importing_again_changes_nothing(write: Write) -> None:
    path = write(
        line(),
        line(),  # measured twice
        line(created_at="2026-05-01T09:30:00.123456Z"),
        line(1, "j", 2, name="accuracy", metrics={"b": [1.5, None], "a": "é"}),
        line(1, "j", 2, name="accuracy", metrics={"a": "é", "b": [1.5, None]}, created_at="2026-05-01"),
    )
    assert counts(path, dry_run=True) == (5, 0, 0)
    assert stored() == []
    assert counts(path) == (5, 0, 0)
    before = stored()
    for _ in range(2):
        assert counts(path) == (0, 5, 0)
    assert stored() == before


MOMENTS = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(files=st.lists(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), MOMENTS), max_size=5), max_size=3))
def test_files_in_any_order_are_there_once_imported(
    prompt: Prompt, write: Write, files: list[list[tuple[float, str | None]]]
) -> None:
    Evaluation.objects.all().delete()
    for lines in files:
        if not lines:
            continue
        path = write(*(line(score, created_at=moment) for score, moment in lines))
        import_evaluations(path)
        assert counts(path) == (0, len(lines), 0)


def test_one_without_a_moment_takes_none_away_from_those_with_one() -> None:
    assert are_new([("v", "k", None), ("v", "k", 1)], [("v", "k", 1), ("v", "k", 2)]) == [False, False]
    assert are_new([("v", "k", None), ("v", "k", 1)], [("v", "k", 1)]) == [True, False]
    assert are_new([("v", "k", 3)], [("v", "k", 1)]) == [True]


WRONG = [
    (b"[1]\n", "row", "a JSON object", "list"),
    (b"{\n", "row", "a JSON object", "{"),
    (b'{"prompt": "folder/p", "prompt": "q"}\n', "row", "a JSON object", "the member 'prompt' twice"),
    (b"\xff\n", "row", "UTF-8 text", "byte 0xff at position 0"),
    (b'{"prompt": "folder/p", "version": 1, "score": NaN}\n', "row", "a JSON object", None),
    (line(1.5), "score", "a number from 0 to 1", "1.5"),
    (line(True), "score", "a number from 0 to 1", "True"),
    (line("1"), "score", "a number from 0 to 1", "'1'"),
    (line(version=3), "version", "a version of folder/p", "3"),
    (line(version=0), "version", "the number of a version", "0"),
    (line(version="1"), "version", "the number of a version", "'1'"),
    (line(version=2**40), "version", "the number of a version", str(2**40)),
    (line(prompt="nobody"), "prompt", "the name of a prompt", "'nobody'"),
    (line(prompt="\ud800"), "prompt", "the name of a prompt", None),
    (line(prompt=7), "prompt", "the name of a prompt", "7"),
    (line(item="x" * 256), "item", "at most 255 characters", "256"),
    (line(item=["x"]), "item", "text", "a list"),
    (line(name="a\nb"), "name", None, None),
    (line(metrics=[1]), "metrics", "a JSON object", None),
    (line(created_at="yesterday"), "created_at", None, "'yesterday'"),
    (line(created_at="0001-01-01T00:00:00+23:00"), "created_at", None, None),
    (line(score_name="x"), "score_name", None, "another one"),
]


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize(("wrong", "field", "expected", "got"), WRONG)
def test_a_wrong_line_is_told_by_its_number(
    write: Write, wrong: Any, field: str, expected: str | None, got: str | None
) -> None:
    path = write(line(), wrong, line(item="j"))
    assert counts(path, strict=True) == (0, 0, 1)
    assert stored() == []
    result = import_evaluations(path)
    [refusal] = result.failed
    assert (refusal.line, refusal.field, result.created) == (2, field, 2)
    assert expected in (None, refusal.expected)
    assert got in (None, refusal.got)
    assert counts(path) == (0, 2, 1)


def test_what_is_in_the_trash_is_not_evaluated(prompt: Prompt, write: Write) -> None:
    trash.delete_version(prompt, 1, actor=None)
    assert counts(write(line())) == (0, 0, 1)
    trash.delete_prompt(prompt, actor=None)
    assert import_evaluations(write(line(version=2))).failed[0].field == "prompt"


def test_an_export_is_imported_as_it_was(prompt: Prompt, write: Write, monkeypatch: Any) -> None:
    monkeypatch.setattr(evaluations, "_NAMES", 2)
    import_evaluations(write(*(line(number / 7, f"i{number}", 1 + number % 2) for number in range(7))))
    before = stored()
    path = write(*("".join(export_evaluations()).encode().splitlines(keepends=True)))
    assert counts(path) == (0, 7, 0)
    Evaluation.objects.all().delete()
    assert counts(path) == (7, 0, 0)
    assert sorted(stored()) == sorted(before)
    assert list(export_evaluations(name="accuracy")) == list(export_evaluations(prompt="q")) == []
    assert len(list(export_evaluations(name="", prompt="folder/p"))) == 7


def test_files_have_bounds(write: Write, monkeypatch: Any) -> None:
    monkeypatch.setattr(evaluations, "MAX_LINES", 2)
    with pytest.raises(ImportFileError, match="at most 2 lines"):
        import_evaluations(write(line(), line(), line()))
    with pytest.raises(ImportFileError, match="one JSON object a line, got nothing"):
        import_evaluations(write())
    with pytest.raises(ImportFileError, match="cannot be read"):
        import_evaluations(Path("/nowhere/e.jsonl"))


@pytest.mark.usefixtures("prompt")
def test_the_commands(write: Write) -> None:
    path = str(write(line(), line("x")))
    code, out, _ = call("import_evaluations", path, "--strict", "--json")
    assert (code, json.loads(out)["created"], len(json.loads(out)["failed"])) == (1, 0, 1)
    assert call("import_evaluations", path, "--verbosity", "0") == (
        1,
        "1 created, 0 unchanged, 1 refused\n",
        "line 2: score: expected a number from 0 to 1, got 'x'\n",
    )
    code, out, _ = call("export_evaluations")
    assert [json.loads(text)["score"] for text in out.splitlines()] == [0.5]
    with pytest.raises(CommandError, match="--prompt: expected the name of a prompt, got 'nobody'"):
        call("export_evaluations", "--prompt", "nobody")
    with pytest.raises(CommandError, match="one JSON object a line"):
        call("import_evaluations", str(write()))
