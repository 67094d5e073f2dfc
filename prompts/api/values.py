"""Types that several schemas share: contents, labels, moments, texts of a length."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from django.core.exceptions import ValidationError
from ninja import Field
from pydantic import AfterValidator, AwareDatetime, WithJsonSchema
from pydantic_core import PydanticCustomError

from vectors.schemas import Body, Text

from ..models import Kind, Prompt
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.names import check_text
from ..saving import MAX_MESSAGE
from ..validators import (
    MAX_CONTENT_LENGTH,
    MAX_LANGUAGE_LENGTH,
    MAX_NAME_LENGTH,
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


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


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
                    "role": {"type": "string", "maxLength": messages.MAX_ROLE},
                    "content": {"type": "string", "maxLength": MAX_CONTENT_LENGTH},
                },
                "required": ["role", "content"],
            },
            {
                "type": "object",
                "properties": {"type": {"const": "placeholder"}, "name": {"type": "string"}},
                "required": ["type", "name"],
            },
        ]
    },
}
_CONTENT: dict[str, Any] = {
    "description": "A text, or a list of messages and placeholders.",
    "anyOf": [{"type": "string", "maxLength": MAX_CONTENT_LENGTH}, _MESSAGES],
}
Content = Annotated[Any, AfterValidator(_content), WithJsonSchema(_CONTENT)]
ShownContent = Annotated[Any, WithJsonSchema(_CONTENT)]
Variables = Annotated[
    dict[str, Any],
    Field(
        description="What is declared of variables; what the content uses beside is inferred.",
        examples=[{"tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}}],
    ),
]
_Label = Annotated[Text, Field(json_schema_extra={"maxLength": 36})]
Labels = Annotated[list[_Label], Field(max_length=20, description="Labels that are to serve this version.")]
# Bounds that the schema shows; the models hold values to them, in better words than Pydantic's.
NameText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_NAME_LENGTH})]
WordText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_LANGUAGE_LENGTH})]
MessageText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_MESSAGE})]
_Tag = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_TAG_LENGTH})]
Tags = Annotated[list[_Tag], Field(json_schema_extra={"maxItems": MAX_TAGS})]


class Changes(Body):
    """Members of a prompt that are to be set; only those that are given count."""

    def changes(self) -> dict[str, Any]:
        values = self.model_dump(
            exclude_unset=True, exclude={"message", "labels", "base_version", "type", "if_identical"}
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
