"""Three-way merges of what versions hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.merge_payloads import merge_payloads
from prompts.models import Payload
from prompts.rendering import messages

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "{{c}}\n"]), max_size=4).map(
    lambda lines: "x\n" + "".join(lines)
)
CONFIGS = st.dictionaries(st.sampled_from("kl"), st.sampled_from([1, True, "x", {"m": 1}]), max_size=2)
MESSAGES = st.lists(
    st.builds(
        lambda text: {"role": "user", "content": text}, st.sampled_from(["a", "b\u2028c", "d\ne", "\x85"])
    ),
    min_size=1,
    max_size=4,
)


def payloads(contents: Any) -> Any:
    formats = st.sampled_from(["simple", "jinja2"])
    return st.builds(Payload, content=contents, config=CONFIGS, template_format=formats)


KINDS = {"text": payloads(TEXTS), "chat": payloads(MESSAGES.map(messages.dump))}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_one_side_changed_is_taken(kind: str, data: Any) -> None:
    base, changed = data.draw(KINDS[kind]), data.draw(KINDS[kind])
    for ours, theirs in ((base, changed), (changed, base), (changed, changed)):
        merged = merge_payloads(kind, base, ours, theirs)
        assert (merged.payload.hash if merged.payload else None, merged.conflicts) == (changed.hash, {})


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), side=st.sampled_from(["ours", "theirs"]))
def test_a_side_that_wins_leaves_no_conflict(kind: str, data: Any, side: Any) -> None:
    base, ours, theirs = (data.draw(KINDS[kind]) for _ in range(3))
    undecided = merge_payloads(kind, base, ours, theirs)
    decided = merge_payloads(kind, base, ours, theirs, resolve=side)
    assert (undecided.payload is None) == bool(undecided.conflicts)
    assert decided.payload is not None
    assert decided.conflicts == {}
    if undecided.payload:
        assert decided.payload == undecided.payload


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), side=st.sampled_from([None, "ours", "theirs"]))
def test_a_content_has_the_format_of_one_who_wrote_it(kind: str, data: Any, side: Any) -> None:
    base, ours, theirs = (data.draw(KINDS[kind]) for _ in range(3))
    merged = merge_payloads(kind, base, ours, theirs, resolve=side).payload
    if merged and ours.template_format != theirs.template_format:
        pairs = [(one.content, one.template_format) for one in (ours, theirs)]
        assert (merged.content, merged.template_format) in pairs


def test_payloads_made_apart_conflict_by_field() -> None:
    ours = Payload("a\n", {"k": 1, "only": 1}, {"a": {}}, "simple")
    theirs = Payload("b\n", {"k": 2}, {"a": {}}, "jinja2")
    merged = merge_payloads("text", None, ours, theirs)
    assert set(merged.conflicts) == {"content", "template_format", "config.k"}
    decided = merge_payloads("text", None, ours, theirs, resolve="theirs").payload
    assert decided == Payload("b\n", {"k": 2, "only": 1}, {"a": {}}, "jinja2")
