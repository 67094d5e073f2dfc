"""A snippet shows the densest part of a text, with offsets into itself."""

import time

from hypothesis import given
from hypothesis import strategies as st

from vectors.snippets import snippet


def marked(found):
    return [found.text[start:end] for start, end in found.highlights]


def test_it_shows_the_window_with_most_terms():
    text = "dog " + "x " * 300 + "the dogs were running home " + "y " * 300
    found = snippet(text, "dog running", 60)
    assert marked(found) == ["dogs", "running"]
    assert found.before
    assert found.after
    assert text[found.start :].startswith(found.text)


def test_it_marks_runs_without_spaces_as_one():
    assert marked(snippet("今日の東京都の天気は晴れ", "東京都の天気")) == ["東京都の天気"]


def test_it_marks_a_single_character():
    assert marked(snippet("吾輩は猫である", "猫")) == ["猫"]


def test_it_marks_other_widths_and_cases():
    assert marked(snippet("ＡＢＣと Abc", "abc")) == ["ＡＢＣ", "Abc"]


def test_it_begins_at_the_beginning_where_nothing_matches():
    found = snippet("one two three", "zebra", 7)
    assert (found.start, found.before, found.after, found.highlights) == (0, False, True, [])


def test_it_is_fast_on_a_very_long_text():
    text = "the quick brown fox jumps over the lazy dog " * 3_300
    started = time.process_time()
    snippet(text, "lazy dog and a quick fox over the moon")
    assert time.process_time() - started < 0.2


@given(st.text(), st.text(max_size=20), st.integers(1, 50))
def test_offsets_always_lie_in_order_inside_the_window(text, query, width):
    found = snippet(text, query, width)
    assert text[found.start : found.start + len(found.text)] == found.text
    edges = [edge for pair in found.highlights for edge in pair]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(found.text) for edge in edges)
