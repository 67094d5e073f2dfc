"""PRAGMAs that a new connection sets, checked against a list: their values cannot be bound in SQL."""

import re
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

_WORD = re.compile(r"-?[0-9]+|[A-Za-z_]+")

# In the order they must run: the page size is fixed by the first write, which WAL mode is.
DEFAULTS: dict[str, str | int] = {
    "page_size": 8192,  # of a new file: vectors of 384 dimensions then take 1.07 times their size, not 1.34
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "foreign_keys": "ON",
    "cache_size": -20_000,  # negative: KiB
    "temp_store": "MEMORY",
    "mmap_size": 256 * 1024 * 1024,
}
_OTHERS = ("auto_vacuum", "journal_size_limit", "wal_autocheckpoint", "recursive_triggers")
_FILE_ONLY = ("page_size", "journal_mode", "mmap_size")


def pragma_statements(chosen: Mapping[str, str | int], *, alias: str, in_memory: bool) -> list[str]:
    """``PRAGMA name = value`` for the defaults and `chosen`, which wins; a value of None leaves one out.

    Raises ``ImproperlyConfigured`` for a name that is not known or a value that is neither a word nor
    an integer.
    """
    allowed = (*DEFAULTS, *_OTHERS)
    if unknown := [name for name in chosen if name not in allowed]:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS']['pragmas'] has unknown names: {', '.join(map(repr, unknown))}. "
            f"Known: {', '.join(sorted(allowed))}."
        )
    statements = []
    for name, value in {**DEFAULTS, **chosen}.items():
        if value is None or (in_memory and name in _FILE_ONLY):
            continue
        if not _WORD.fullmatch(str(value)):
            raise ImproperlyConfigured(
                f"DATABASES[{alias!r}]['OPTIONS']['pragmas'][{name!r}]: expected a word or an integer, "
                f"got {value!r}."
            )
        statements.append(f"PRAGMA {name} = {value}")
    # Renaming a table must rename it inside foreign keys too, whatever the library was built with.
    statements.append("PRAGMA legacy_alter_table = OFF")
    return statements
