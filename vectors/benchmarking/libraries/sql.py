"""What libraries on SQLite's files are set to: as AFN's own database is."""

from __future__ import annotations

from typing import Final

PRAGMAS: Final = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA cache_size = -20000",
    "PRAGMA mmap_size = 268435456",
)
