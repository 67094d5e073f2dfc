"""Backups that nobody would make: with other contents than their manifests, or another text about them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.backups import container, keys, manifest


def rewrite(
    file: Path,
    *,
    about: Callable[[dict[str, Any]], Any] = lambda values: None,
    held: Callable[[dict[str, Any]], Any] = lambda values: None,
    database: Callable[[Path], Any] = lambda path: None,
    order: tuple[str, ...] = (manifest.ABOUT, manifest.DATABASE, manifest.MANIFEST),
) -> None:
    """Put another backup into the place of `file`; each function changes a part of what it held."""
    found: dict[str, bytes] = {}
    with container.reading(file, keys.identities()) as archive:
        for name, _, member in archive.members(dict.fromkeys(order, 10**9)):
            found[name] = member.read_all()
    changed = file.with_name("database.db")
    changed.write_bytes(found[manifest.DATABASE])
    database(changed)
    values = json.loads(found[manifest.ABOUT])
    values["database_bytes"] = changed.stat().st_size
    about(values)
    says = json.loads(found[manifest.MANIFEST])
    new = file.with_name("new")
    with container.writing(new, keys.recipients(keys.identities())) as (archive, _):
        for name in order:
            if name == manifest.ABOUT:
                archive.add_bytes(name, json.dumps(values).encode())
            elif name == manifest.DATABASE:
                archive.add_file(name, changed)
            else:
                says["members"] = dict(archive.hashes)
                held(says)
                archive.add_bytes(name, json.dumps(says).encode())
    new.replace(file)
    changed.unlink()
