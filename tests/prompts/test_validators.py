"""Rules for what people write; each message says what was expected and what came."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from prompts.models import Evaluation, Prompt, User
from prompts.validators import (
    validate_content,
    validate_language,
    validate_metadata,
    validate_name,
    validate_tags,
    validate_title,
)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "writing/resume",
        "業務/記事 要約",
        "a/b/c/d",
        "é" * 255,
        "emoji 😀",
        "100%",
        "a'b\"c",
        "...",
        "a?b#c&d",
        "-",
    ],
)
def test_a_name_is_any_printable_text_in_folders(name: str) -> None:
    validate_name(name)


NAMES = [
    ("a|b", "without '|', got 'a|b'"),
    ("x" * 256, "at most 255 characters, got 256"),
    ("/a", "single slashes, got '/a'"),
    ("a/", "single slashes, got 'a/'"),
    ("a//b", "single slashes, got 'a//b'"),
    ("a/ /b", "single slashes"),
    (" a", "got ' a'"),
    ("a\n", "got 'a"),
    ("a\nb", "printable characters only, got 'a"),
    ("a\tb", "printable"),
    ("a\x7fb", "printable"),
    ("a\u202eb", "printable"),
    ("..", "other than . and .., got '..'"),
    ("a/../b", "other than . and .."),
    ("./a", "other than . and .."),
    ("a\0b", "without NUL characters, got one at position 1"),
    ("a\ud800", "Unicode text, got a lone surrogate at position 1"),
]


@pytest.mark.parametrize(("name", "message"), NAMES)
def test_a_wrong_name_is_told_apart(name: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_name(name)
    assert message in caught.value.messages[0]
    assert caught.value.messages[0].startswith("Expected ")


WRONG: list[tuple[Callable[[Any], None], Any, str]] = [
    (validate_title, "x" * 256, "at most 255 characters, got 256"),
    (validate_title, " \n", "some text, got none"),
    (validate_title, "a\0", "got one at position 1"),
    (validate_title, "\udfff", "lone surrogate at position 0"),
    (validate_content, "", "some text, got none"),
    (validate_content, " \t\r\n\u3000", "some text, got none"),
    (validate_content, "x" * 1_000_001, "at most 1,000,000 characters, got 1,000,001"),
    (validate_content, "a\0", "got one at position 1"),
    (validate_content, "a\ud83d", "lone surrogate at position 1"),
    (validate_language, "x" * 17, "at most 16 characters, got 'xxxxxxxxxxxxxxxxx'"),
    (validate_language, "e\0n", "got one at position 1"),
    (validate_tags, "a,b", "a list of texts, got str"),
    (validate_tags, ["a", 1], "a list of texts, got one with int"),
    (validate_tags, ["x"] * 51, "at most 50 tags, got 51"),
    (validate_tags, ["x" * 65], "1 to 64 characters, got"),
    (validate_tags, [" "], "1 to 64 characters, got ' '"),
    (validate_tags, ["a\0"], "got one at position 1"),
    (validate_metadata, [], "a JSON object, got list"),
    (validate_metadata, {"a": float("nan")}, "a finite number"),
    (validate_metadata, {"a": [float("inf")]}, "a finite number"),
    (validate_metadata, {"a": "\ud800"}, "lone surrogate"),
]


@pytest.mark.parametrize(("validate", "value", "message"), WRONG)
def test_a_wrong_value_is_told_with_what_was_expected(
    validate: Callable[[Any], None], value: Any, message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(value)
    assert message in caught.value.messages[0]
    assert caught.value.messages[0].startswith("Expected ")
    assert ", got " in caught.value.messages[0]


@pytest.mark.parametrize("content", ["x", "x" * 1_000_000, " x ", "{{", "😀", "\u200b"])
def test_any_other_text_is_content(content: str) -> None:
    validate_content(content)


@pytest.mark.django_db
def test_the_models_apply_the_rules(user: User) -> None:
    prompt = Prompt(
        user=user, name="a|b", title=" ", content="\n", status="x", language="l" * 17, tags="t", metadata=[1]
    )
    with pytest.raises(ValidationError) as caught:
        prompt.full_clean()
    wrong = {"name", "title", "content", "status", "language", "tags", "metadata"}
    assert set(caught.value.error_dict) == wrong


@pytest.mark.django_db
@pytest.mark.parametrize("value", [None, "", (), "other"])
@pytest.mark.parametrize("field", ["tags", "metadata", "config", "variables"])
def test_an_empty_value_of_another_type_is_none(user: User, field: str, value: Any) -> None:
    wrong = ({} if field == "tags" else []) if value == "other" else value
    prompt = Prompt(user=user, name="p", title="P", content="C", **{field: wrong})
    for check in (prompt.clean_fields, prompt.full_clean):
        with pytest.raises(ValidationError) as caught:
            check()
        assert set(caught.value.error_dict) == {field}
    prompt.clean_fields(exclude=[field])


@pytest.mark.django_db
@pytest.mark.parametrize("score", [-0.1, 1.5, float("inf"), None, "x"])
def test_a_score_is_a_share(user: User, score: Any) -> None:
    prompt = Prompt.objects.create(user=user, name="p", title="P", content="C")
    with pytest.raises(ValidationError, match="score"):
        Evaluation(prompt=prompt, score=score).full_clean()
