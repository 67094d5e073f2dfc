"""Chats: one form in which equal ones are equal texts, and errors that name the message."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rendering import messages
from prompts.rendering.errors import TemplateProblem

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
ROLES = st.sampled_from(["system", "user", "assistant", "開発者"])
CHATS = st.lists(
    st.fixed_dictionaries({"role": ROLES, "content": TEXTS})
    | st.fixed_dictionaries({"type": st.just("placeholder"), "name": st.sampled_from(["history", "履歴"])}),
    min_size=1,
    max_size=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(chat=CHATS)
def test_what_is_dumped_is_parsed_to_the_same(chat: Any) -> None:
    text = messages.dump(chat)
    assert messages.parse(text) == chat
    assert messages.dump(messages.parse(text)) == messages.dump(messages.check(chat))


@given(chat=CHATS)
def test_each_message_is_a_line(chat: Any) -> None:
    assert len(messages.dump(chat).split("\n")) == len(chat) + 2


@given(value=JSON)
def test_whatever_is_no_chat_is_told(value: Any) -> None:
    with suppress(TemplateProblem):
        found = messages.parse(json.dumps(value))
        assert messages.parse(messages.dump(found)) == found


@pytest.mark.parametrize("text", ["", "null", "{", "[" * 100_000, "1" * 10_000, "NaN", '"[]"'])
def test_a_text_that_is_no_list_is_told(text: str) -> None:
    with pytest.raises(TemplateProblem):
        messages.parse(text)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (1, "content[1]"),
        ({}, "content[1].role"),
        ({"role": "user"}, "content[1].content"),
        ({"role": " ", "content": ""}, "content[1].role"),
        ({"role": "a\nb", "content": ""}, "content[1].role"),
        ({"role": "x" * 65, "content": ""}, "content[1].role"),
        ({"role": "user", "content": None}, "content[1].content"),
        ({"role": "user", "content": "a\0"}, "content[1].content"),
        ({"role": "user", "content": "\ud800"}, "content[1].content"),
        ({"role": "user", "content": "", "name": "x"}, "content[1]"),
        ({"type": "tool", "role": "user", "content": ""}, "content[1].type"),
        ({"type": ["placeholder"], "name": "x"}, "content[1].type"),
        ({"type": "placeholder"}, "content[1].name"),
        ({"type": "placeholder", "name": "a b"}, "content[1].name"),
        ({"type": "placeholder", "name": "x", "role": "user"}, "content[1]"),
    ],
)
def test_the_message_at_fault_is_named(entry: Any, field: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        messages.check([{"role": "user", "content": "fine"}, entry])
    assert caught.value.field == field


def test_a_type_that_clients_send_along_makes_no_difference() -> None:
    plain = {"role": "user", "content": "Hi"}
    assert messages.check([plain | {"type": "chatmessage"}, {"content": "Hi", "role": "user"}]) == [
        plain,
        plain,
    ]


def test_there_are_at_most_500_messages() -> None:
    one = {"role": "user", "content": ""}
    assert len(messages.check([one] * 500)) == 500
    for count in (0, 501):
        with pytest.raises(TemplateProblem, match=f"1 to 500 messages, got {count}"):
            messages.check([one] * count)


def test_a_transcript_is_what_people_read() -> None:
    chat = [
        {"role": "system", "content": "Be kind.\nBe brief."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
    ]
    text = "[system]\nBe kind.\nBe brief.\n[placeholder: history]\n[user]\n{{question}}"
    assert messages.transcript(chat) == text
    assert messages.placeholders([*chat, chat[1]]) == ["history"]
