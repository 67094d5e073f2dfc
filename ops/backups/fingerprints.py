"""What tells that two databases hold the same rows: for each table how many, and a hash of them all.

The hash of a table is the sum of its rows' hashes (BLAKE2b, 128 bits), so that their order does not count: a
copy that a server made row by row has the same as the file it was made from. It finds what was lost or
damaged; against whoever forges a backup stands its encryption.
"""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.snapshots import read_columns, read_rows, read_schema, table_names

_BITS: Final = 128
_SIZE: Final = _BITS // 8
_TOLD_EVERY: Final = 10_000
_FLOAT: Final = struct.Struct("<d")


@dataclass(frozen=True)
class Fingerprint:
    """``rows`` of a table, and their ``hash`` in hexadecimal digits."""

    rows: int
    hash: str


def take(alias: str, told: Callable[[int], None] = lambda rows: None) -> dict[str, Fingerprint]:
    """Of every table with rows of its own, by name. Indexes are left out: they are made of these.

    `told` hears how many rows were read, time and again. The database should not change meanwhile.
    """
    return {table: _take(alias, table, told) for table in table_names(alias, without=())}


def schema_hash(alias: str) -> str:
    """Of all tables, indexes, views and triggers, as they are defined."""
    digest = hashlib.blake2b(digest_size=_SIZE)
    for what, sql in sorted(read_schema(alias).items()):
        digest.update(_encoded((what, " ".join(sql.split()))))
    return digest.hexdigest()


def differences(expected: Mapping[str, Fingerprint], found: Mapping[str, Fingerprint]) -> list[str]:
    """What is not as expected, a sentence for each table."""
    texts = []
    for name in sorted({*expected, *found}):
        wanted, got = expected.get(name), found.get(name)
        if wanted is None or got is None:
            texts.append(f"{name}: the table {'is missing' if got is None else 'was not expected'}")
        elif wanted.rows != got.rows:
            texts.append(f"{name}: expected {wanted.rows:,} rows, found {got.rows:,}")
        elif wanted.hash != got.hash:
            texts.append(f"{name}: its {got.rows:,} rows are not those that were backed up")
    return texts


def _take(alias: str, table: str, told: Callable[[int], None]) -> Fingerprint:
    total = rows = 0
    for values in read_rows(alias, table, read_columns(alias, table)):
        digest = hashlib.blake2b(_encoded(values), digest_size=_SIZE)
        total += int.from_bytes(digest.digest(), "big")
        rows += 1
        if rows % _TOLD_EVERY == 0:
            told(_TOLD_EVERY)
    told(rows % _TOLD_EVERY)
    return Fingerprint(rows, f"{total % 2**_BITS:0{2 * _SIZE}x}")


def _encoded(values: Sequence[Any]) -> bytes:
    """Unambiguous: before each value stand its type and its length."""
    parts: list[bytes] = []
    for value in values:
        if type(value) is str:
            content = value.encode()
            parts += (b"t%d:" % len(content), content)
        elif type(value) is bytes:
            parts += (b"b%d:" % len(value), value)
        elif type(value) is int:
            parts.append(b"i%d:" % value)
        elif value is None:
            parts.append(b"n:")
        else:
            parts += (b"f:", _FLOAT.pack(value))
    return b"".join(parts)
