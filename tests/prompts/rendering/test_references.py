"""The tags by which a prompt includes another."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rendering import references
from prompts.rendering.errors import TemplateProblem
from prompts.rendering.references import Reference

TAG = "@@@prompt:name=a/b|label=production@@@"


def test_tags_name_a_label_or_a_version() -> None:
    text = f"{TAG} @@@langfusePrompt:name=日本 語|version=12@@@ {TAG}"
    assert references.references(text) == [Reference("a/b", "production"), Reference("日本 語", "", 12)]
    assert references.count(text) == {Reference("a/b", "production"): 2, Reference("日本 語", "", 12): 1}
    assert list(map(str, references.references(text))) == ["a/b (production)", "日本 語 (version 12)"]


def test_both_spellings_are_the_same_reference() -> None:
    other = TAG.replace("prompt:", "langfusePrompt:")
    assert references.references(TAG + other) == [Reference("a/b", "production")]
    assert references.count(TAG + other).total() == 2


@pytest.mark.parametrize(
    "inner",
    ["", "name=a", "name=a|label=", "name=a|label=A", "name=a|version=0", "name=a|version=01",
     "name=|version=1", "name=a|version=1|label=x", "label=x|name=a", "name=a|version=" + "1" * 20,
     "name=" + "x" * 256 + "|label=x", "name=a\n|label=x"],
)  # fmt: skip
def test_a_tag_that_is_none_is_an_error_and_no_text(inner: str) -> None:
    with pytest.raises(TemplateProblem, match="NAME") as caught:
        references.references(f"Hello @@@prompt:{inner}@@@")
    assert caught.value.field == "content"


@pytest.mark.parametrize(
    "text", ["", "@@@", "@@@@@@", "@@@prompt:name=a|label=b", "@@prompt:name=a|label=b@@"]
)
def test_what_is_no_tag_is_text(text: str) -> None:
    assert references.references(text) == []
    assert references.replace(text, lambda one: "x") == text


def test_what_comes_in_its_place_is_not_looked_at_again() -> None:
    assert references.replace(f"<{TAG}>", lambda one: TAG) == f"<{TAG}>"


@pytest.mark.parametrize("text", [TAG, f"\n {TAG} "])
def test_a_tag_alone_is_whole(text: str) -> None:
    assert references.whole(text) == Reference("a/b", "production")


@pytest.mark.parametrize("text", ["", f"{TAG}.", f"{TAG}{TAG}", "@@@"])
def test_a_tag_with_something_beside_it_is_not(text: str) -> None:
    assert references.whole(text) is None


@given(
    st.lists(st.sampled_from(["@@@", "prompt:", "name=a", "|", "label=x", "version=1", "\n", "@"])).map(
        "".join
    )
)
def test_nothing_but_a_template_problem_is_raised(text: str) -> None:
    for ask in (references.references, references.count, references.whole):
        with suppress(TemplateProblem):
            ask(text)


@pytest.mark.parametrize("unit", ["@@@prompt:", "@@@", "@@@prompt:name=a|", TAG])
def test_a_million_characters_take_no_longer_than_they_are(unit: str) -> None:
    started = time.process_time()
    with suppress(TemplateProblem):
        references.references(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 5
