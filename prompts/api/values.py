"""Types that several schemas share: contents, labels, moments, texts of a length."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple

from django.core.exceptions import ValidationError
from ninja import Field
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from vectors.api_values import OneOf, Text, declared
from vectors.schemas import Body

from ..models import Kind, Prompt, TemplateFormat
from ..rendering import messages, signature
from ..rendering.errors import TemplateProblem
from ..rendering.names import check_text
from ..saving import MAX_MESSAGE
from ..validators import (
    MAX_CONTENT_LENGTH,
    MAX_ITEM_LENGTH,
    MAX_LANGUAGE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SCORE_NAME_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
)

HASH = "SHA-256 of the content; of more than a text as JSON with sorted keys."
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment", "Expected a moment of the years 1 to 9999 in UTC") from error


def _written_out(value: Any) -> Any:
    """Numbers would be taken for seconds, or for milliseconds where they are large."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    got = repr(value[:40]) if isinstance(value, str) else type(value).__name__
    wanted = {"expected": "a date and time with a time zone, such as 2026-05-01T09:30:00Z", "got": got}
    raise PydanticCustomError("moment", "Expected {expected}, got {got}", wanted)


_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]


class Chat(NamedTuple):
    """The text of a chat's messages, told from a text."""

    text: str


def _content(value: Any) -> Any:
    try:
        if isinstance(value, list):
            return Chat(messages.dump(messages.check(value)))
        return check_text(value, "content", MAX_CONTENT_LENGTH)
    except TemplateProblem as problem:
        where = "" if problem.field == "content" else f" ({problem.field})"
        wanted = {"expected": problem.expected, "got": problem.got, "where": where}
        raise PydanticCustomError("content", "Expected {expected}, got {got}{where}", wanted) from problem


_MESSAGES: dict[str, Any] = {
    "type": "array",
    "maxItems": messages.MAX_MESSAGES,
    "items": {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "type": {"enum": ["message", "chatmessage"]},
                    "role": {"type": "string", "minLength": 1, "maxLength": messages.MAX_ROLE},
                    "content": {"type": "string", "maxLength": MAX_CONTENT_LENGTH},
                },
                "required": ["role", "content"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"type": {"const": "placeholder"}, "name": {"type": "string", "maxLength": 64}},
                "required": ["type", "name"],
                "additionalProperties": False,
            },
        ]
    },
}
CONTENT: dict[str, Any] = {
    "description": "A text, or a list of messages and placeholders.",
    "anyOf": [{"type": "string", "maxLength": MAX_CONTENT_LENGTH}, _MESSAGES],
}
Content = Annotated[Any, AfterValidator(_content), WithJsonSchema(CONTENT)]
ShownContent = Annotated[Any, WithJsonSchema(CONTENT)]
_TEXT: dict[str, Any] = {"type": "string", "maxLength": signature.MAX_VALUE_LENGTH}
_VARIABLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"enum": list(signature.TYPES)},
        "required": {"type": "boolean"},
        "default": {"x-max-depth": signature.MAX_DEPTH},
        "description": {"type": "string", "maxLength": signature.MAX_DESCRIPTION},
        "values": {"type": "array", "minItems": 1, "maxItems": signature.MAX_VALUES, "items": _TEXT},
    },
    "additionalProperties": False,
}
Variables = Annotated[
    dict[str, Any],
    Field(
        description="What is declared of variables; what the content uses beside is inferred.",
        examples=[{"tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}}],
        json_schema_extra={"maxProperties": signature.MAX_VARIABLES, "additionalProperties": _VARIABLE},
    ),
]
MAX_LABEL: Final = 36
# Longer ones are refused by `check_label`, or not found; where nobody looks for it, `LabelFilter` says so.
LabelText = Annotated[Text, declared(maxLength=MAX_LABEL)]
LabelFilter = Annotated[Text, Field(max_length=MAX_LABEL)]
Labels = Annotated[
    list[LabelText], Field(max_length=20, description="Labels that are to serve this version.")
]
# Bounds that the schema shows; the models hold values to them, in better words than Pydantic's.
NameText = Annotated[Text, declared(maxLength=MAX_NAME_LENGTH)]
LanguageText = Annotated[Text, declared(maxLength=MAX_LANGUAGE_LENGTH)]
TemplateFormatName = Annotated[Text, OneOf(TemplateFormat.values)]
MessageText = Annotated[Text, declared(maxLength=MAX_MESSAGE)]
_Tag = Annotated[Text, declared(maxLength=MAX_TAG_LENGTH)]
Tags = Annotated[list[_Tag], declared(maxItems=MAX_TAGS)]
Id = Annotated[Text, declared(maxLength=32)]  # of rows, made here: a longer one is not found
UserName = Annotated[Text, Field(max_length=150)]
# Of filters, which no model judges.
NameFilter = Annotated[Text, Field(max_length=MAX_NAME_LENGTH)]
TagFilter = Annotated[Text, Field(max_length=MAX_TAG_LENGTH)]
LanguageFilter = Annotated[Text, Field(max_length=MAX_LANGUAGE_LENGTH)]
DatasetName = Annotated[Text, Field(max_length=128)]
ItemText = Annotated[Text, Field(max_length=MAX_ITEM_LENGTH)]
ScoreName = Annotated[
    Text, Field(max_length=MAX_SCORE_NAME_LENGTH, description="Which score; empty: the main one.")
]


class Changes(Body):
    """Members of a prompt that are to be set; only those that are given count."""

    def changes(self) -> dict[str, Any]:
        values = self.model_dump(
            exclude_unset=True, exclude={"message", "labels", "owner", "base_version", "type", "if_identical"}
        )
        if isinstance(values.get("content"), tuple):
            values["content"] = values["content"][0]
        return values

    def check_type(self, prompt: Prompt) -> None:
        """Raises ValidationError where the content given is of another type than the prompt."""
        content = getattr(self, "content", "")
        if "content" in self.model_fields_set and isinstance(content, Chat) != (prompt.type == Kind.CHAT):
            expected = "a list of messages" if prompt.type == Kind.CHAT else "a text"
            got = "a list" if isinstance(content, Chat) else "a text"
            raise ValidationError({"content": f"Expected {expected}, as in all versions, got {got}."})
