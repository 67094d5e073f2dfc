"""How the database goes about a statement, asked for when it is over and never by running it again."""

from collections import defaultdict
from typing import Any

from django.db import DatabaseError, connections
from django.utils.connection import ConnectionDoesNotExist

from .models import MAX_PLAN
from .normalising import is_explainable
from .noting import Note


def explain(note: Note, normalised: str) -> str:
    """Lines of ``EXPLAIN QUERY PLAN`` with NULL for every value; empty where it is not to be had."""
    if not is_explainable(note.sql, normalised):
        return ""
    shape = note.parameters
    nulls: Any = dict.fromkeys(shape) if isinstance(shape, tuple) else shape and [None] * shape
    try:
        with connections[note.database].cursor() as cursor:
            # It comes from AFN's own statement, which is only read.
            cursor.execute(f"EXPLAIN QUERY PLAN {note.sql}", () if shape == 0 else nulls)
            rows = cursor.fetchall()
    except (DatabaseError, ConnectionDoesNotExist):  # another environment is closed by now
        return ""
    return _tree(rows)[:MAX_PLAN]


def _tree(rows: list[Any]) -> str:
    """Rows are (id, id of what it is part of, unused, text)."""
    parts: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for key, above, _, text in rows:
        parts[above].append((key, text))
    lines: list[str] = []

    def add(above: int, depth: int) -> None:
        for key, text in parts.pop(above, []):
            lines.append("  " * depth + text)
            add(key, depth + 1)

    add(0, 0)
    return "\n".join(lines)
