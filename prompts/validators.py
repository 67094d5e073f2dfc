"""Rules for names, titles and contents; every message says what was expected and what came."""

import re
from typing import Any

from django.core.exceptions import ValidationError

from vectors.errors import VectorError
from vectors.validation import metadata_json

from .rendering import signature
from .rendering.errors import TemplateProblem

MAX_NAME_LENGTH = MAX_TITLE_LENGTH = 255
MAX_CONTENT_LENGTH = 1_000_000
MAX_TAGS, MAX_TAG_LENGTH = 50, 64
MAX_LANGUAGE_LENGTH = 16
MAX_ITEM_LENGTH, MAX_SCORE_NAME_LENGTH = 255, 64
_LABEL = re.compile(r"[a-z0-9_.-]{1,36}")


def validate_text(value: str) -> None:
    """Text that every database, JSON parser and terminal can carry: no NUL, no lone surrogates."""
    if "\0" in value:
        raise ValidationError(
            f"Expected text without NUL characters, got one at position {value.index(chr(0))}.", code="nul"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValidationError(
            f"Expected Unicode text, got a lone surrogate at position {error.start}.", code="surrogate"
        ) from error


def _validate_length(value: str, maximum: int) -> None:
    if len(value) > maximum:
        raise ValidationError(
            f"Expected at most {maximum:,} characters, got {len(value):,}.", code="max_length"
        )


def _validate_some_text(value: str, maximum: int) -> None:
    validate_text(value)
    if not value.strip():
        raise ValidationError("Expected some text, got none.", code="no_text")
    _validate_length(value, maximum)


def validate_title(value: str) -> None:
    _validate_some_text(value, MAX_TITLE_LENGTH)


def validate_content(value: str) -> None:
    _validate_some_text(value, MAX_CONTENT_LENGTH)


def validate_name(value: str) -> None:
    """A unique name; ``/`` makes folders, ``|`` is the separator of composition tags."""
    validate_text(value)
    _validate_length(value, MAX_NAME_LENGTH)
    if "|" in value:
        raise ValidationError(f"Expected a name without '|', got {value!r}.", code="bar")
    if value != value.strip() or not all(part.strip() for part in value.split("/")):
        raise ValidationError(
            f"Expected a name, or folders and a name separated by single slashes, got {value!r}.", code="name"
        )
    if not value.isprintable():
        raise ValidationError(f"Expected printable characters only, got {value!r}.", code="unprintable")
    if not {".", ".."}.isdisjoint(value.split("/")):
        # In an address they are gone before it reaches a server, and in a path of files they lead elsewhere.
        raise ValidationError(f"Expected folders and a name other than . and .., got {value!r}.", code="dots")


def validate_label(value: str) -> None:
    if not isinstance(value, str) or not _LABEL.fullmatch(value):
        raise ValidationError(
            f"Expected 1 to 36 lower-case letters, digits and _ . -, got {str(value)[:80]!r}.", code="label"
        )


def validate_item(value: str) -> None:
    """The key of an item that versions are compared on."""
    validate_text(value)
    _validate_length(value, MAX_ITEM_LENGTH)


def validate_item_key(value: str) -> None:
    validate_item(value)
    if not value.strip():
        raise ValidationError("Expected a key, got none.", code="no_text")


def validate_dataset_name(value: str) -> None:
    validate_text(value)
    if not value.strip() or value != value.strip() or "/" in value or not value.isprintable():
        raise ValidationError(f"Expected a name without slashes, got {value[:80]!r}.", code="name")


def validate_expected(value: Any) -> None:
    """What an item is expected to give: text or other JSON, within the bounds of metadata."""
    _validate_object({"expected": value}, "expected")


def validate_score_name(value: str) -> None:
    validate_text(value)
    if len(value) > MAX_SCORE_NAME_LENGTH or not value.isprintable():
        raise ValidationError(
            f"Expected at most {MAX_SCORE_NAME_LENGTH} printable characters, got {value[:80]!r}.", code="name"
        )


def validate_language(value: str) -> None:
    validate_text(value)
    if len(value) > MAX_LANGUAGE_LENGTH or not value.isprintable():
        raise ValidationError(
            f"Expected a language code of at most {MAX_LANGUAGE_LENGTH} characters, got {value[:80]!r}.",
            code="language",
        )


def validate_tags(value: Any) -> None:
    if not isinstance(value, list):
        raise ValidationError(f"Expected a list of texts, got {type(value).__name__}.", code="type")
    if strange := [type(tag).__name__ for tag in value if not isinstance(tag, str)]:
        raise ValidationError(f"Expected a list of texts, got one with {strange[0]}.", code="type")
    if len(value) > MAX_TAGS:
        raise ValidationError(f"Expected at most {MAX_TAGS} tags, got {len(value)}.", code="count")
    for tag in value:
        validate_text(tag)
        if not tag.strip() or len(tag) > MAX_TAG_LENGTH:
            raise ValidationError(
                f"Expected tags of 1 to {MAX_TAG_LENGTH} characters, got {tag[:80]!r}.", code="tag"
            )


def validate_metadata(value: Any) -> None:
    """An object within the bounds of a collection's metadata: what can be stored can be read and filtered."""
    _validate_object(value, "metadata")


def validate_config(value: Any) -> None:
    """An object of the same bounds, which only the application understands."""
    _validate_object(value, "config")


def validate_variables(value: Any) -> None:
    """Declarations of variables, by name (`prompts.rendering.signature`)."""
    try:
        signature.declared(value)
    except TemplateProblem as problem:
        where = problem.field.removeprefix("variables").removeprefix(".")
        raise ValidationError(
            f"Expected {problem.expected}, got {problem.got}" + (f" ({where})." if where else "."),
            code="variables",
        ) from problem


def _validate_object(value: Any, field: str) -> None:
    try:
        metadata_json(value, field)
    except VectorError as error:
        where = error.field.removeprefix(field).removeprefix(".")
        raise ValidationError(
            f"Expected {error.expected}, got {error.got}" + (f" ({where})." if where else "."),
            code=field,
        ) from error
