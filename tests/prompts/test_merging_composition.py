"""A merge leaves nothing behind that could not be composed: that is told before, and nothing is written."""

from typing import Any

import pytest

from prompts import merging
from prompts.composition import compose, part_of
from prompts.labels import move_label
from prompts.merging import MergeConflict, MergeResult, merge_prompts
from prompts.models import Prompt, PromptVersion
from prompts.trash import delete_prompt

from .databases import copy_database, save

FORK, MAIN = "left", "right"


def tag(name: str, where: str = "label=latest") -> str:
    return f"@@@prompt:name={name}|{where}@@@"


@pytest.fixture(autouse=True)
def both(databases: tuple[str, str]) -> None:
    """``MAIN`` has ``outer``, which includes ``inner``, and ``FORK`` is a copy of it."""
    save(MAIN, "inner", "in")
    save(MAIN, "outer", f"out {tag('inner')}")
    copy_database(MAIN, FORK)


def merge(**options: Any) -> MergeResult:
    """The preview says what the merge does."""
    preview = merge_prompts(FORK, MAIN, dry_run=True, **options)
    result = merge_prompts(FORK, MAIN, **options)
    assert preview.prompts == result.prompts
    return result


def refused(**options: Any) -> list[tuple[str, str, str]]:
    before = list(PromptVersion.objects.using(MAIN).order_by("pk").values())
    with pytest.raises(MergeConflict) as caught:
        merge(**options)
    assert merge_prompts(FORK, MAIN, dry_run=True, **options).conflicts == caught.value.result.conflicts
    assert list(PromptVersion.objects.using(MAIN).order_by("pk").values()) == before
    return [(one.prompt, one.field, one.text) for one in caught.value.result.conflicts]


def text(name: str) -> str:
    prompt = Prompt.objects.using(MAIN).get(name=name)
    version = prompt.versions.using(MAIN).get(version=prompt.version)
    return compose(part_of(name, prompt.type, version), using=MAIN).template.content


def test_what_comes_together_finds_each_other() -> None:
    save(FORK, "a", f"a {tag('b')} {tag('b', 'version=1')}")
    save(FORK, "b", "b")
    save(FORK, "b", f"b2 {tag('inner')}")
    assert {one.action for one in merge().prompts} == {"created"}
    assert text("a") == "a b2 in b"


def test_what_stays_behind_is_missed() -> None:
    save(FORK, "b", "b")
    save(FORK, "a", f"a {tag('b')}")
    [(prompt, field, why)] = refused(names=["a"])
    assert (prompt, field) == ("a", "content")
    assert "version 1 could not be composed" in why
    assert "b (latest), which does not" in why
    assert merge(names=["a", "b"]).prompts


def test_labels_do_not_come_along() -> None:
    move_label(save(FORK, "b", "b"), "production", 1, actor=None, using=FORK)
    save(FORK, "a", f"a {tag('b', 'label=production')}")
    assert "b (production), which does not" in refused()[0][2]
    merge(names=["b"])
    move_label(Prompt.objects.using(MAIN).get(name="b"), "production", 1, actor=None, using=MAIN)
    merge()
    assert text("a") == "a b"


def test_a_circle_that_neither_side_has_is_refused() -> None:
    save(FORK, "b", "b")
    copy_database(FORK, MAIN)
    save(FORK, "inner", f"in {tag('b')}")
    save(MAIN, "b", f"b {tag('inner')}")
    assert {prompt for prompt, _, _ in refused()} == {"inner"}


def test_a_chain_that_grows_too_long_is_refused() -> None:
    for at in range(4, 0, -1):
        save(FORK, f"n{at}", f"x {tag(f'n{at + 1}')}" if at < 4 else "end")
    copy_database(FORK, MAIN)
    save(FORK, "inner", f"in {tag('n1')}")
    assert merge().prompts  # five levels below outer
    save(FORK, "n4", f"x {tag('n5')}")
    save(FORK, "n5", "end")
    assert [(one[0], "at most 5 levels" in one[2]) for one in refused()] == [("inner", True)]


def test_what_includes_a_merged_prompt_is_looked_at() -> None:
    save(FORK, "inner", "{{ in }}", template_format="jinja2")
    [(prompt, _, why)] = refused()
    assert prompt == "inner"
    assert "outer v1 includes inner and could not be composed any more" in why
    save(FORK, "outer", f"out {tag('inner')}", template_format="jinja2")
    assert len(merge().prompts) == 2


def test_so_is_what_includes_it_in_a_version_with_a_label() -> None:
    outer = Prompt.objects.using(MAIN).get(name="outer")
    move_label(outer, "production", 1, actor=None, using=MAIN)
    save(MAIN, "outer", "nothing")
    save(FORK, "inner", "{{ in }}", template_format="jinja2")
    assert "outer v1 includes inner" in refused()[0][2]


def test_a_prompt_that_is_included_keeps_its_name() -> None:
    inner = Prompt.objects.using(FORK).get(name="inner")
    inner.name = "renamed"
    inner.save(using=FORK)
    [(prompt, _, why)] = refused(names=["renamed"])
    assert prompt == "inner"
    assert "inner (latest), which does not" in why
    save(FORK, "outer", f"out {tag('renamed')} {tag('renamed', 'version=1')}")
    assert len(merge().prompts) == 2
    assert text("outer") == "out in in"


def test_what_is_broken_already_does_not_keep_others_out() -> None:
    save(MAIN, "other", f"x {tag('nobody')}")
    save(FORK, "inner", "in again")
    assert len(merge().prompts) == 1
    assert text("outer") == "out in again"


def test_what_is_deleted_meanwhile_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "alone", "x")
    copy_database(FORK, MAIN)
    save(FORK, "inner", f"in {tag('alone')}")
    once = [delete_prompt]
    write = merging._Plan.write

    def deleted_first(self: Any, rows: Any) -> None:
        if once:
            once.pop()(Prompt.objects.using(MAIN).get(name="alone"), actor=None, using=MAIN)
        write(self, rows)

    monkeypatch.setattr(merging._Plan, "write", deleted_first)
    with pytest.raises(MergeConflict) as caught:
        merge_prompts(FORK, MAIN, names=["inner"])
    assert "alone (latest), which does not" in caught.value.result.conflicts[0].text
    assert Prompt.objects.using(MAIN).get(name="inner").version == 1
