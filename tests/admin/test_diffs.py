import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.diffs import Diff, Fold, compare, fold

WORDS = st.sampled_from(
    ["one", "two", "three", " ", "  ", "\n", "\r\n", "要", "約", "。", ",", "<b>", "e\u0301", "😀"]
)
TEXTS = st.one_of(st.text(), st.lists(WORDS, max_size=60).map("".join))


def rebuilt(diff: Diff) -> tuple[str, str]:
    old = "".join(span.text for row in diff.rows for span in row.old)
    new = "".join(span.text for row in diff.rows for span in row.new)
    return old, new


def marked(diff: Diff) -> tuple[list[str], list[str]]:
    removed = [span.text for row in diff.rows for span in row.old if span.kind == "delete"]
    added = [span.text for row in diff.rows for span in row.new if span.kind == "insert"]
    return removed, added


@given(old=TEXTS, new=TEXTS)
def test_spans_rebuild_both_texts(old: str, new: str):
    diff = compare(old, new)

    assert rebuilt(diff) == (old, new)
    assert {span.kind for row in diff.rows for span in row.old} <= {"equal", "delete"}
    assert {span.kind for row in diff.rows for span in row.new} <= {"equal", "insert"}
    numbers = [row.old_number for row in diff.rows if row.old_number]
    assert numbers == list(range(1, len(numbers) + 1))


@given(old=TEXTS, new=TEXTS)
def test_equal_spans_are_the_same_on_both_sides(old: str, new: str):
    for row in compare(old, new).rows:
        same = ["".join(span.text for span in side if span.kind == "equal") for side in (row.old, row.new)]
        assert same[0] == same[1]


@given(text=TEXTS)
def test_a_text_does_not_differ_from_itself(text: str):
    assert marked(compare(text, text)) == ([], [])


def test_words_are_marked_within_a_line():
    diff = compare("At most five bullets per role.\n", "At most four bullets per role.\n")

    assert marked(diff) == (["five"], ["four"])


def test_each_japanese_character_is_a_word():
    diff = compare("次の文章を要約してください。", "次の長い文章を要約して。")

    assert marked(diff) == (["ください"], ["長い"])


def test_an_inserted_line_leaves_the_others_beside_each_other():
    diff = compare("alpha beta\ngamma delta\n", "alpha beta!\nsomething else\ngamma delta!\n")

    assert [(row.old_number, row.new_number) for row in diff.rows] == [(1, 1), (None, 2), (2, 3)]


def test_lines_with_nothing_in_common_are_not_paired():
    diff = compare("alpha beta gamma\n", "要約してください\n")

    assert [(row.old_number, row.new_number) for row in diff.rows] == [(1, None), (None, 1)]


@pytest.mark.parametrize(
    ("old", "new", "sign"), [("one", "one\n", "↵"), ("one\r\n", "one\n", "␍"), ("a\nb", "a\n\nb", "↵")]
)
def test_a_change_of_line_ends_is_seen(old: str, new: str, sign: str):
    spans = [span for row in compare(old, new).rows for span in (*row.old, *row.new) if span.kind != "equal"]

    assert [span.shown for span in spans] == [sign]


def test_long_texts_are_compared_by_lines():
    line = "The quick brown fox jumps over the lazy dog\n"

    diff = compare(line * 4_000, line * 4_000 + "More\n")

    assert not diff.by_words
    assert marked(diff) == ([], ["More\n"])


@pytest.mark.parametrize("unit", ["a line\n", "あい", "word ", "x"])
def test_a_million_repetitive_characters_stay_within_the_budget(unit: str):
    old = unit * (1_000_000 // len(unit))
    new = unit[::-1] * (1_000_000 // len(unit))

    assert rebuilt(compare(old, new)) == (old, new)


def test_what_cannot_be_matched_in_the_budget_counts_as_replaced_and_says_so():
    chance = random.Random(7)
    old, new = (" ".join(chance.choice(["a", "b", "c"]) for _ in range(5_000)) for _ in range(2))

    diff = compare(old, new)

    assert diff.by_words
    assert not diff.is_complete
    assert rebuilt(diff) == (old, new)


def test_unchanged_lines_are_folded():
    lines = [f"line {number}\n" for number in range(100)]
    diff = compare("".join(lines), "".join([*lines[:50], "new\n", *lines[51:]]))

    folded = fold(diff.rows, context=2)

    assert folded[0] == Fold(48)
    assert folded[-1] == Fold(47)
    assert len([one for one in folded if not isinstance(one, Fold)]) == 6


def test_a_page_shows_at_most_so_many_rows():
    diff = compare("a\n" * 10, "b\n" * 10)

    assert fold(diff.rows, limit=4)[-1] == Fold(len(diff.rows) - 4, changed=True)
