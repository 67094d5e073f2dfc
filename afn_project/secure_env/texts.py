"""The text of a `.env`: its variables for the settings, and their names for people, without values."""

import re
from dataclasses import dataclass
from io import StringIO
from typing import Final

from dotenv import dotenv_values
from dotenv.parser import parse_stream

# A line of a secret that was broken over several, such as a private key, can look like a name. What is shown
# has to look like a variable, and most of such lines do not.
_SHOWN: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class Names:
    """Variables in order, and the lines of what is no variable or has no name that could be shown."""

    shown: tuple[str, ...]
    lines: tuple[int, ...]


def read_values(text: str) -> dict[str, str | None]:
    """The variables of a text, `${OTHER}` replaced; the last one of a name counts."""
    return dict(dotenv_values(stream=StringIO(text, newline=None)))


def read_names(text: str, known: frozenset[str] = frozenset()) -> Names:
    """Names in upper case; those that are `known` may be written in lower case."""
    shown: dict[str, None] = {}
    lines = []
    for binding in parse_stream(StringIO(text, newline=None)):
        if binding.key is None and not binding.error:
            continue  # an empty line, or a comment
        key = binding.key or ""
        if key.upper() in known:
            key = key.upper()
        if binding.error or binding.value is None or not _SHOWN.fullmatch(key):
            # A statement begins with the empty lines and comments before it.
            start = len(binding.original.string) - len(binding.original.string.lstrip())
            lines.append(binding.original.line + binding.original.string[:start].count("\n"))
        else:
            shown[key] = None
    return Names(tuple(shown), tuple(lines))


def changed_names(old: str, new: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Names of variables that differ between two texts."""
    before, after = read_values(old), read_values(new)
    names = {*read_names(old, known).shown, *read_names(new, known).shown}
    by_name = [{key.upper(): value for key, value in values.items()} for values in (before, after)]
    return sorted(name for name in names if by_name[0].get(name) != by_name[1].get(name))
