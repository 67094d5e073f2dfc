"""On what kind of database a backup was made: it is restored on that kind alone."""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ops.environments.base import Provider

from .manifest import Engine

_KINDS: dict[str, Engine] = {"sqld": "server", "turso": "turso"}
ENCRYPTION = "encryption_key"


def engine_of(provider: Provider) -> Engine:
    if provider.kind in _KINDS:
        return _KINDS[provider.kind]
    return "encrypted file" if database_key(provider.file_database(Path("any.db"))) else "file"


def database_key(entry: Mapping[str, Any]) -> str:
    """What tells the key of an encrypted file from others, and does not tell the key; empty without one."""
    key = entry.get("OPTIONS", {}).get(ENCRYPTION, "")
    # The text itself: the setting hides it where it is shown.
    return (
        blake2b(str.__str__(key).encode(), digest_size=8, person=b"afn-database-key").hexdigest()
        if key
        else ""
    )
