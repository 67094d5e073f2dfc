"""A plan of the database as a tree, and what it says to whoever wants the statement faster."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext

_INDENT: Final = 2
# "SCAN prompts" reads the whole table, "SCAN prompts USING COVERING INDEX …" a whole index.
_SCAN: Final = re.compile(r"^SCAN (?!CONSTANT ROW|\()(?P<table>\S+)(?P<rest>.*)$")
_SORT: Final = re.compile(r"^USE TEMP B-TREE FOR (?P<what>.+)$")
_MADE: Final = re.compile(r"^SEARCH (?P<table>\S+) USING AUTOMATIC ")


@dataclass(slots=True)
class Step:
    """A line of the plan; `is_slow` where it grows with the table."""

    text: str
    is_slow: bool
    within: list[Step] = field(default_factory=list)


def tree(plan: str) -> list[Step]:
    """The steps that are within no other, each with those within it."""
    roots: list[Step] = []
    path: list[Step] = []
    for line in plan.splitlines():
        text = line.strip()
        if not text:
            continue
        depth = min((len(line) - len(line.lstrip())) // _INDENT, len(path))
        del path[depth:]
        step = Step(text, bool(_scanned(text)))
        (path[-1].within if path else roots).append(step)
        path.append(step)
    return roots


def advice(plan: str) -> list[str]:
    """Once for each thing to do, in the order of the plan, in the reader's language."""
    found: dict[str, None] = {}
    for line in plan.splitlines():
        text = line.strip()
        if table := _scanned(text):
            said = gettext("It reads all rows of %(table)s: an index on the columns it filters by may help.")
            found[said % {"table": table}] = None
        elif match := _MADE.match(text):
            said = gettext("It makes an index of %(table)s for itself each time: make that one for good.")
            found[said % {"table": match["table"]}] = None
        elif match := _SORT.match(text):
            said = gettext("It sorts for %(what)s: an index in that order spares it.")
            found[said % {"what": match["what"]}] = None
    return list(found)


def _scanned(text: str) -> str:
    """The table that is read from end to end without an index, and is one of the database."""
    match = _SCAN.match(text)
    if match is None or " USING " in match["rest"] or "VIRTUAL TABLE" in match["rest"]:
        return ""
    return match["table"]
