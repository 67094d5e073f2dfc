"""Imports of prompts that include others: in any order, and nothing of what could not be composed."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from prompts import trash
from prompts.composition import compose, part_of
from prompts.exchange.exporting import export_prompts
from prompts.exchange.importing import ImportResult, import_file
from prompts.exchange.registry import Selection
from prompts.labels import move_label
from prompts.models import LabelMove, Prompt, PromptVersion, User
from prompts.saving import save_prompt
from tests.prompts.exchange.registries import clear, everything

pytestmark = pytest.mark.django_db
Bring = Callable[..., ImportResult]


def tag(name: str, label: str = "latest") -> str:
    where = f"version={label}" if label.isdecimal() else f"label={label}"
    return f"@@@prompt:name={name}|{where}@@@"


def record(name: str, *contents: str, **members: Any) -> dict[str, Any]:
    versions = [{"number": at, "content": one} for at, one in enumerate(contents, start=1)]
    return {"name": name, "versions": versions, **members}


@pytest.fixture
def bring(tmp_path: Path, user: User) -> Bring:
    def run(*lines: dict[str, Any], **options: Any) -> ImportResult:
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        dry = import_file(path, user, dry_run=True, **options)
        result = import_file(path, user, **options)
        assert (dry.created, dry.updated, dry.unchanged, dry.failed) == (
            result.created, result.updated, result.unchanged, result.failed,
        )  # fmt: skip
        return result

    return run


def text(name: str) -> str:
    prompt = Prompt.objects.get(name=name)
    version = prompt.versions.get(version=prompt.version)
    return compose(part_of(name, prompt.type, version)).template.content


ROWS = {"title": "R", "name": "row", "content": f"row of {tag('b')}"}


def test_the_order_of_a_file_does_not_matter(bring: Bring) -> None:
    result = bring(
        ROWS,
        record("a", f"a {tag('b', 'production')} {tag('b', '1')}"),
        record("b", f"b {tag('c')}", f"b2 {tag('c')}", labels={"production": 2}),
        {"title": "C", "name": "c", "content": f"c {tag('d')}"},
        record("d", "d"),
        strict=True,
    )
    assert (result.created, result.failed) == (5, [])
    assert (text("a"), text("row")) == ("a b2 c d b c d", "row of b2 c d")


@pytest.mark.parametrize("strict", [False, True])
def test_what_leads_nowhere_is_refused_with_all_that_includes_it(bring: Bring, strict: bool) -> None:
    result = bring(
        record("outer", f"x {tag('broken')}"),
        record("good", "fine"),
        record("broken", "x", f"y {tag('good', 'production')}"),
        ROWS | {"content": tag("nobody")},
        strict=strict,
    )
    assert [(one.line, one.field, one.expected) for one in result.failed] == [
        (line, "content", "included prompts that exist") for line in (1, 3, 4)
    ]
    assert [one.got for one in result.failed] == [
        "broken (latest), which does not (outer v1)",
        "good (production), which does not (broken v2)",
        "nobody (latest), which does not (row v1)",
    ]
    assert list(Prompt.everything.values_list("name", flat=True)) == ([] if strict else ["good"])
    assert PromptVersion.objects.count() == (0 if strict else 1)
    assert not LabelMove.objects.exists()


def test_circles_and_chains_that_are_too_long_are_refused(bring: Bring) -> None:
    chain = [record(f"n{at}", f"x {tag(f'n{at + 1}')}") for at in range(7)]
    result = bring(record("a", tag("b")), record("b", f"x {tag('a')}"), *chain, record("n7", "end"))
    assert {one.line: one.expected for one in result.failed} == {
        1: "included prompts that exist",
        2: "no prompt that includes itself",
        3: "included prompts that exist",
        4: "at most 5 levels of included prompts",
    }
    assert result.created == 6


def test_labelled_versions_count_and_old_ones_do_not(bring: Bring) -> None:
    old = record("a", f"x {tag('gone')}", "y")
    assert bring(old).failed == []
    [refused] = bring(record("b", f"x {tag('gone')}", "y", labels={"production": 1})).failed
    assert refused.got == "gone (latest), which does not (b v1)"


def test_new_versions_of_what_is_there_are_looked_at(bring: Bring) -> None:
    assert bring(record("a", "x")).created == 1
    [refused] = bring(record("a", "x", f"y {tag('gone')}")).failed
    assert (refused.line, refused.got) == (1, "gone (latest), which does not (a v2)")
    assert Prompt.objects.get().version == PromptVersion.objects.count() == 1
    assert bring(record("a", "x", f"y {tag('b')}"), record("b", "z")).updated == 1
    assert text("a") == "y z"


def test_a_row_does_not_break_what_includes_it(tmp_path: Path, user: User) -> None:
    save_prompt(Prompt(user=user, name="row", title="R", content="x {{who}}"), author=user)
    save_prompt(Prompt(user=user, name="outer", title="O", content=f"a {tag('row')}"), author=user)
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(ROWS | {"content": "{{ who }}", "template_format": "jinja2"}))
    result = import_file(path, user)
    assert "one with which it fails" in result.failed[0].got
    assert (Prompt.objects.get(name="row").version, result.updated) == (1, 0)


def test_an_export_comes_back_even_where_it_includes_what_is_in_the_trash(tmp_path: Path, user: User) -> None:
    for name, content in (("inner", "x"), ("outer", f"a {tag('inner')}")):
        save_prompt(Prompt(user=user, name=name, title=name, content=content), author=user)
    outer, inner = Prompt.objects.get(name="outer"), Prompt.objects.get(name="inner")
    move_label(inner, "production", 1, actor=user)
    trash.delete_prompt(outer, actor=user)
    trash.delete_prompt(inner, actor=user)
    trash.restore_prompt(outer, actor=user)
    before = everything()
    path = tmp_path / "all.jsonl"
    export_prompts(path, Selection())
    clear()
    for options in ({"dry_run": True}, {"strict": True}):
        result = import_file(path, user, **options)
        assert (result.created, result.failed) == (2, [])
        assert result.notes == ["outer v1 includes inner (latest), which is in the trash."]
    assert everything() == before
    assert import_file(path, user, strict=True).unchanged == 2


def test_numbers_that_were_purged_stay_given(tmp_path: Path, user: User) -> None:
    prompt = Prompt(user=user, name="p", title="P", content="1")
    for content in "123":
        prompt.content = content
        prompt.save(index=False)
    path, before = tmp_path / "all.jsonl", tmp_path / "before.jsonl"
    export_prompts(before, Selection())
    trash.delete_version(prompt, 3, actor=user)
    trash.purge(timedelta(0), now=timezone.now() + timedelta(days=1))
    assert import_file(before, user).unchanged == 1  # it does not come back
    export_prompts(path, Selection())
    rows = everything()
    clear()
    assert import_file(path, user).created == 1
    assert everything() == rows
    # Also where the prompt is there, without the version that was purged elsewhere.
    clear()
    prompt = Prompt(pk=prompt.pk, user=user, name="p", title="P", content="1")
    prompt.save(index=False)
    prompt.content = "2"
    prompt.save(index=False)
    assert [import_file(path, user).updated, import_file(path, user).unchanged] == [1, 1]
    prompt = Prompt.objects.get()
    prompt.content = "other"
    prompt.save(index=False)
    assert prompt.version == 4


def test_a_declaration_may_be_for_what_an_included_prompt_used_once(tmp_path: Path, user: User) -> None:
    inner = Prompt(user=user, name="inner", title="I", content="in {{tone}}")
    save_prompt(inner, author=user)
    variables = {"tone": {"type": "enum", "values": ["kind", "firm"]}}
    outer = Prompt(user=user, name="outer", title="O", content=tag("inner"), variables=variables)
    save_prompt(outer, author=user)
    inner.content = "in"
    save_prompt(inner, author=user)
    path, rows = tmp_path / "all.jsonl", everything()
    export_prompts(path, Selection())
    clear()
    assert import_file(path, user, strict=True).failed == []
    assert everything() == rows


def test_a_row_may_not_include_what_is_in_the_trash(tmp_path: Path, user: User) -> None:
    inner = Prompt(user=user, name="inner", title="I", content="x")
    save_prompt(inner, author=user)
    trash.delete_prompt(inner, actor=user)
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(ROWS | {"content": tag("inner")}))
    assert import_file(path, user).failed[0].got == "inner (latest), which does not (row v1)"


def test_another_of_the_name_in_the_trash_is_no_excuse(bring: Bring) -> None:
    deleted = "2026-05-01T09:30:00Z"
    result = bring(
        record("b", "old", deleted_at=deleted),
        record("b", "new"),
        record("a", f"x {tag('b', 'production')}"),
        record("c", f"x {tag('d', '2')}"),
        {"name": "d", "versions": [
            {"number": 1, "content": "d"}, {"number": 2, "content": "d2", "deleted_at": deleted},
        ]},
    )  # fmt: skip
    assert [(one.line, one.got) for one in result.failed] == [(3, "b (production), which does not (a v1)")]
    assert result.notes == ["c v1 includes d (version 2), which is in the trash."]
