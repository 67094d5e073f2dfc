"""Rules for names, titles and contents; every message says what was expected and what came."""

from typing import Any

from django.core.exceptions import ValidationError

from vectors.errors import VectorError
from vectors.validation import metadata_json

MAX_NAME_LENGTH = MAX_TITLE_LENGTH = 255
MAX_CONTENT_LENGTH = 1_000_000
MAX_TAGS, MAX_TAG_LENGTH = 50, 64
MAX_LANGUAGE_LENGTH = 16


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
    try:
        metadata_json(value)
    except VectorError as error:
        where = error.field.removeprefix("metadata").removeprefix(".")
        raise ValidationError(
            f"Expected {error.expected}, got {error.got}" + (f" ({where})." if where else "."),
            code="metadata",
        ) from error
