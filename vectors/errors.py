"""What this library raises: every error names the field, what was expected and what came."""

from __future__ import annotations

_SHOWN = 120


def shown(value: object) -> str:
    """The value as a short piece of text for an error message, at most 120 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class VectorError(ValueError):
    """Base of all errors of this library.

    `field` is the name of the argument, setting or path at fault; `expected` and `got` are ready to be
    shown; `hint`, where given, says what to do. None of them ever carries a secret.
    """

    def __init__(self, field: str, expected: str, got: str, hint: str = "") -> None:
        self.field = field
        self.expected = expected
        self.got = got
        self.hint = hint
        super().__init__(field, expected, got, hint)

    def __str__(self) -> str:
        message = f"{self.field}: expected {self.expected}, got {self.got}"
        return f"{message}. {self.hint}" if self.hint else message


class InvalidCollection(VectorError):
    """A collection's name, dimensions, metric, strategy or weight is not acceptable."""


class CollectionNotFound(VectorError):
    """There is no collection of that name."""


class InvalidItem(VectorError):
    """A key, title, text or metadata cannot be stored."""


class InvalidFile(VectorError):
    """A file of items has another form than its name says, or cannot be read here."""


class InvalidVector(VectorError):
    """An embedding has the wrong shape, type or values."""


class InvalidFilter(VectorError):
    """A metadata filter uses something outside the language or past its limits."""


class InvalidQuery(VectorError):
    """A search argument (query, k, mode, fusion, strategy) is not acceptable."""


class StaleBatch(VectorError):
    """Rows changed between `prepare` and `write`: prepare the batch again."""


class CorruptIndex(VectorError):
    """What is stored of an index does not fit together."""


class IndexBusy(VectorError):
    """The index of a collection is being built, or the collection changed under a build."""


class EmbedderError(VectorError):
    """An embedder is unknown, not installed, misconfigured or did not answer as it should."""


class OutgoingRefused(VectorError):
    """A URL is not acceptable, or leads to where AFN does not call. No part of the URL is quoted."""
