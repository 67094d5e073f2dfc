"""All inverted lists of a collection, as many at once as one answer of a server holds."""

from __future__ import annotations

from collections.abc import Iterator

from vectors.index.codes import Codes, bytes_a_row
from vectors.index.lists import read_parts
from vectors.rows import ANSWER_BYTES, execute, in_batches
from vectors.sql import Tables
from vectors.upkeep.sql import list_bytes

_LISTS_AT_ONCE = 64


def read_lists(tables: Tables, alias: str, version: int, lists: int) -> Iterator[dict[int, list[Codes]]]:
    """The lists numbered below `lists`, by number the parts of each; one that is missing has none."""
    lengths = dict(execute(alias, list_bytes(tables, version)))
    sized = ((number, lengths.get(number, 0)) for number in range(lists))
    size = bytes_a_row(tables.dimensions)
    for numbers in in_batches(sized, size=ANSWER_BYTES, count=_LISTS_AT_ONCE):
        parts: dict[int, list[Codes]] = {number: [] for number in numbers}
        for number, blob in read_parts(tables, alias, version, numbers):
            whole = blob[: len(blob) // size * size]  # a part cut short shows as rows that are missing
            parts[number].append(Codes.from_blob(whole, tables.dimensions))
        yield parts
