"""JSON Lines, with a line number for every complaint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vectors.errors import VectorError, shown


class InvalidLine(VectorError):
    """A line is not JSON."""


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of the lines that are not blank; raises OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.decode("utf-8", errors="surrogateescape")


def parse_line(line: str) -> object:
    """The line's JSON value; raises InvalidLine, also for bytes that are not UTF-8, NaN, Infinity and members
    that come twice.
    """
    try:
        line.encode()
    except UnicodeEncodeError as error:
        raise InvalidLine("line", "UTF-8", f"other bytes at character {error.start}") from error
    try:
        return json.loads(line.removeprefix("\ufeff"), parse_constant=_refuse, object_pairs_hook=_members)
    except InvalidLine:
        raise
    except RecursionError as error:
        raise InvalidLine("line", "JSON", "too many levels") from error
    except json.JSONDecodeError as error:
        raise InvalidLine("line", "JSON", f"{error.msg} at column {error.colno}: {shown(line)}") from error
    except ValueError as error:  # Python's limit on the digits of an integer
        raise InvalidLine("line", "numbers of a usual size", shown(line)) from error


def repeated_member(pairs: Sequence[tuple[str, Any]]) -> str:
    """A name that comes more than once in an object, as text to be shown."""
    return shown(Counter(name for name, _ in pairs).most_common(1)[0][0])


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):  # one of them would be lost, such as a condition of a filter
        expected = "JSON whose members have names of their own"
        raise InvalidLine("line", expected, f"{repeated_member(pairs)} twice")
    return members


def _refuse(constant: str) -> object:
    raise InvalidLine("line", "JSON", constant)
