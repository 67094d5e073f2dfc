"""A comparison as a unified diff, the form that ``patch`` and code review tools read."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from .diffs import Fold, Row, Span, fold


def unified(rows: Sequence[Row], old_name: str, new_name: str) -> str:
    """The rows as text, three lines of context around each change; empty where nothing changed."""
    hunks = [list(run) for folded, run in groupby(_shown(rows), lambda row: row is None) if not folded]
    if all(row.is_equal for row in rows):
        return ""
    lines = [f"--- {old_name}\n", f"+++ {new_name}\n"]
    for hunk in hunks:
        lines += _hunk([row for row in hunk if row is not None])
    return "".join(lines)


def count_changes(rows: Iterable[Row]) -> tuple[int, int]:
    """How many lines were added and how many removed; a changed line is one of each."""
    changed = [row for row in rows if not row.is_equal]
    added = sum(row.new_number is not None for row in changed)
    return added, sum(row.old_number is not None for row in changed)


def _shown(rows: Sequence[Row]) -> Iterator[Row | None]:
    for one in fold(rows, limit=len(rows)):
        yield None if isinstance(one, Fold) else one


def _hunk(rows: Sequence[Row]) -> Iterator[str]:
    old = [row.old_number for row in rows if row.old_number is not None]
    new = [row.new_number for row in rows if row.new_number is not None]
    yield f"@@ -{old[0] if old else 0},{len(old)} +{new[0] if new else 0},{len(new)} @@\n"
    for is_equal, run in groupby(rows, lambda row: row.is_equal):
        block = list(run)
        if is_equal:
            yield from (_line(" ", row.new) for row in block)
        else:
            yield from (_line("-", row.old) for row in block if row.old_number is not None)
            yield from (_line("+", row.new) for row in block if row.new_number is not None)


def _line(sign: str, spans: Iterable[Span]) -> str:
    text = sign + "".join(span.text for span in spans)
    return text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n"
