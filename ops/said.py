"""Texts of probes: English for logs, commands and JSON, in the reader's language on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from django.utils.translation import gettext

# A template that ``gettext_noop`` has marked, and its values, formatted already.
Part = tuple[str, Mapping[str, str]]
_BETWEEN = "; "


class Said(str):
    """English as a string, whoever reads; it also knows its template and values, for ``translated``."""

    parts: tuple[Part, ...]

    def __new__(cls, text: str = "", parts: Iterable[Part] = ()) -> Self:
        said = super().__new__(cls, text)
        said.parts = tuple(parts)
        return said

    @property
    def translated(self) -> str:
        """In the language of now."""
        if not self.parts:
            return str(self)
        return _BETWEEN.join(gettext(template) % values for template, values in self.parts)

    def packed(self) -> list[Any]:
        """For JSON."""
        return [[template, dict(values)] for template, values in self.parts]


def say(template: str, **values: str) -> Said:
    return _of([(template, values)])


def join(several: Iterable[Said]) -> Said:
    return _of([part for one in several for part in one.parts])


def pack(text: str) -> Any:
    """For JSON: a text that is no ``Said`` as it is."""
    return text.packed() if isinstance(text, Said) and text.parts else str(text)


def unpack(packed: Any) -> str:
    """What ``pack`` has made. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what it has not."""
    if isinstance(packed, str):
        return packed
    return _of([(str(template), {**values}) for template, values in packed])


def translated(text: str) -> str:
    return text.translated if isinstance(text, Said) else str(text)


def _of(parts: list[Part]) -> Said:
    return Said(_BETWEEN.join(template % values for template, values in parts), parts)
