"""diff3: what one side changed is taken, what both changed in different ways is a conflict."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.three_way import MISSING, merge_set, merge_text, merge_value

# Few distinct lines, so that texts repeat and share them; among them ends of lines of every kind.
LINES = st.sampled_from(["a\n", "b\n", "c\n", "\n", "d\r\n", "要約\n", "e\r"])
TEXTS = st.tuples(st.lists(LINES, max_size=8), st.sampled_from(["", "end", "終わり"])).map(
    lambda text: "".join(text[0]) + text[1]
)
MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


@given(TEXTS, TEXTS)
def test_what_one_side_changed_is_taken(base: str, changed: str) -> None:
    assert merge_text(base, changed, base).text == changed
    assert merge_text(base, base, changed).text == changed


@given(TEXTS, TEXTS)
def test_the_same_change_on_both_sides_is_no_conflict(base: str, changed: str) -> None:
    assert merge_text(base, changed, changed).text == changed


@given(TEXTS, TEXTS, TEXTS)
def test_a_merge_is_a_text_without_markers_or_conflicts(base: str, ours: str, theirs: str) -> None:
    merged = merge_text(base, ours, theirs)
    assert (merged.text is None) == bool(merged.conflicts)
    if merged.text is not None:
        assert not any(marker in merged.text for marker in MARKERS)


@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_may_change_places(base: str, ours: str, theirs: str) -> None:
    here, there = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert here.text == there.text
    assert [(one.ours, one.theirs) for one in here.conflicts] == [
        (one.theirs, one.ours) for one in there.conflicts
    ]


@given(TEXTS, TEXTS, TEXTS)
def test_a_resolved_merge_has_no_conflict(base: str, ours: str, theirs: str) -> None:
    assert merge_text(base, ours, theirs, resolve="ours").text is not None
    both = merge_text("", ours or "x", theirs or "y", resolve="theirs")
    assert both.text == (theirs or "y")


@given(TEXTS, TEXTS, TEXTS)
def test_hunks_quote_the_lines_that_they_number(base: str, ours: str, theirs: str) -> None:
    for hunk in merge_text(base, ours, theirs).conflicts:
        for text, passage in ((base, hunk.base), (ours, hunk.ours), (theirs, hunk.theirs)):
            lines = text.split("\n")
            lines = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
            start = passage.first - 1
            assert tuple(lines[start : start + len(passage.lines)]) == passage.lines


def numbered(**changes: str) -> str:
    """Six lines, some of them replaced: ``_2="x"`` is the second."""
    lines = {f"_{number}": f"line {number}" for number in range(1, 7)} | changes
    return "".join(f"{line}\n" for line in lines.values() if line)


def test_changes_apart_from_each_other_are_both_taken() -> None:
    merged = merge_text(numbered(), numbered(_1="first", _3=""), numbered(_5="fifth\nand more"))
    assert merged.text == "first\nline 2\nline 4\nfifth\nand more\nline 6\n"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (numbered(_2="x"), numbered(_2="y")),
        (numbered(_2="x"), numbered(_3="y")),  # next to each other, as in git
        (numbered(_2=""), numbered(_2="y")),
        (numbered(_2="line 2\nx"), numbered(_2="line 2\ny")),
    ],
)
def test_changes_that_touch_are_a_conflict(ours: str, theirs: str) -> None:
    merged = merge_text(numbered(), ours, theirs)
    assert (merged.text, len(merged.conflicts)) == (None, 1)


def test_a_conflict_is_shown_with_the_numbers_of_its_lines() -> None:
    merged = merge_text(
        "今日は\n1\n2\n3\n4\nend\n",
        "new\n今日は\n1\nours 2\n3\n4\nend\n",
        "今日は\n1\n3\n4\nend",
    )
    assert [str(hunk) for hunk in merged.conflicts] == [
        "<<<<<<< ours, line 4\nours 2\n||||||| base, line 3\n2\n=======\n>>>>>>> theirs, nothing at line 3\n"
    ]
    last = merge_text("a", "b\n", "c").conflicts[0]
    assert str(last) == (
        "<<<<<<< ours, line 1\nb\n||||||| base, line 1\na\n\\ No newline at end of file\n"
        "=======\nc\n\\ No newline at end of file\n>>>>>>> theirs, line 1\n"
    )


def test_resolving_decides_conflicts_and_merges_the_rest() -> None:
    ours, theirs = numbered(_2="ours", _6="also ours"), numbered(_2="theirs", _4="also theirs")
    both = {"_4": "also theirs", "_6": "also ours"}
    assert merge_text(numbered(), ours, theirs, resolve="ours").text == numbered(_2="ours", **both)
    assert merge_text(numbered(), ours, theirs, resolve="theirs").text == numbered(_2="theirs", **both)


def test_ends_of_lines_are_content() -> None:
    base = "a\r\nb\r\nc\r\nd\r\n"
    merged = merge_text(base, base.replace("a", "A"), base.replace("d", "D"))
    assert merged.text == "A\r\nb\r\nc\r\nD\r\n"
    to_unix = merge_text(base, base.replace("\r", ""), base)
    assert to_unix.text == "a\nb\nc\nd\n"
    assert merge_text("a\nb\nc", "A\nb\nc", "a\nb\nc\n").text == "A\nb\nc\n"


def test_a_long_text_of_equal_lines_takes_no_time() -> None:
    base = "same\n" * 20_000
    merged = merge_text(base, "first\n" + base, base + "last\n")
    assert merged.text == "first\n" + base + "last\n"


# What becomes of a line; what is new occurs once, so that there is one way only to match two texts.
EDITS = st.lists(st.sampled_from(["{}", "{}", "{}", "", "{}*", "{}\n+{}", "+{}\n{}"]), min_size=9, max_size=9)


@settings(max_examples=200, deadline=None)
@given(EDITS, EDITS)
def test_git_merges_alike(
    tmp_path_factory: pytest.TempPathFactory, ours: list[str], theirs: list[str]
) -> None:
    def text(edits: list[str]) -> str:
        lines = [edit.format(number, number) for number, edit in enumerate(edits)]
        return "".join(f"{line}\n" for line in lines if line)

    texts = {"base": text(["{}"] * 9), "ours": text(ours), "theirs": text(theirs)}
    folder = tmp_path_factory.mktemp("merge")
    for name, content in texts.items():
        (folder / name).write_text(content)
    command = ["git", "merge-file", "-p", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    merged = merge_text(**texts)
    assert (done.returncode == 0) == (merged.text is not None)
    if merged.text is not None:
        assert merged.text == done.stdout


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ({}, {}, {}, {}),
        ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": 1}, {"b": 1, "a": 1}, {"a": 3}, {"b": 1, "a": 3}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": 2, "y": 1}}, {"a": {"x": 1}}, {"a": {"x": 2}}),
        (MISSING, {"a": None}, {"b": 1}, {"a": None, "b": 1}),
        ("draft", "draft", "active", "active"),
    ],
)
def test_values_are_merged_key_by_key(base: object, ours: object, theirs: object, merged: object) -> None:
    assert merge_value(base, ours, theirs) == (merged, {})


def test_values_conflict_by_their_path() -> None:
    base = {"model": {"temperature": 0, "name": "m"}, "kept": 1}
    ours = {"model": {"temperature": 0.5, "name": "m"}, "kept": 1}
    theirs = {"model": {"temperature": True}, "kept": 2}
    merged, conflicts = merge_value(base, ours, theirs, path="metadata")
    assert merged == {"model": {}, "kept": 2}
    assert {path: str(hunk) for path, hunk in conflicts.items()} == {
        "metadata.model.temperature": "<<<<<<< ours, line 1\n0.5\n||||||| base, line 1\n0\n=======\ntrue\n"
        ">>>>>>> theirs, line 1\n"
    }
    assert merge_value(base, ours, theirs, resolve="theirs")[0]["model"] == {"temperature": True}


def test_a_key_taken_out_here_and_changed_there_conflicts() -> None:
    _, conflicts = merge_value({"a": 1}, {}, {"a": 2})
    assert "nothing at line 1" in str(conflicts["a"])


def test_one_and_true_are_different_values() -> None:
    assert merge_value({"a": 1}, {"a": 1}, {"a": True})[0]["a"] is True


def test_sets_are_merged_by_member() -> None:
    assert merge_set(["a", "b", "c"], ["b", "a", "x"], ["c", "a", "y"]) == ["a", "x", "y"]
    assert merge_set([], ["a", "b"], ["b", "c"]) == ["a", "b", "c"]
