"""Making a backup: a consistent copy, what it has to hold, and both in one file.

Writers do not wait for it. What is hashed and searched is the copy, so that a backup says what it holds
itself, not what the database held a moment later.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.recorder import MigrationRecorder

from ops.environments.base import Provider
from ops.environments.opening import opened_database
from ops.redis.dumping import NotDumped, dump
from vectors.errors import VectorError

from . import engines, fingerprints, folder, keys, manifest, probes, signals
from .container import writing
from .errors import BackupProblem
from .manifest import About, Manifest
from .names import BackupName
from .probes import Probe
from .staging import check_space, staging

logger = logging.getLogger(__name__)
ALIAS: Final = "backup"
Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""


@dataclass(frozen=True)
class Backup:
    """One that was made. ``sha256`` is that of the whole file; ``seconds`` of each step, for a benchmark.

    ``encrypted`` is by AFN_BACKUP_KEY all of it; ``database_encrypted`` the database in it, by its own key.
    """

    path: Path
    bytes: int
    sha256: str
    tables: dict[str, int]
    encrypted: bool
    probes: int
    database_bytes: int
    seconds: dict[str, float] = field(default_factory=dict)
    database_encrypted: bool = False
    has_redis: bool = False

    @property
    def unprotected(self) -> str:
        """What is read without a key by whoever may read the file, and the next step; empty with a key."""
        if self.encrypted:
            return ""
        what = "the whole database"
        if self.database_encrypted:
            what = (
                "the names of its tables and collections, how many rows there are, their hashes, and the "
                "keys of some items (the rows themselves are encrypted by AFN_DATABASE_KEY, without which "
                "nobody restores them)"
            )
        if self.has_redis:
            what += ", and all that Redis holds"
        return (
            f"The backup is not encrypted by a key of its own: who may read the file reads {what}. Only its "
            "owner may. Before it goes anywhere else, `manage.py backup_key FILE` makes a key; set "
            "AFN_BACKUP_KEY to it, keep a copy elsewhere, and make the backup again."
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "tables": self.tables,
            "encrypted": self.encrypted,
            "database_encrypted": self.database_encrypted,
            "probes": self.probes,
            "seconds": round(sum(self.seconds.values()), 3),
            "steps": self.seconds,
        }


def back_up(provider: Provider, environment: str = "", progress: Progress = silent) -> Backup:
    """Back up an environment, the current one by default, to the folder of the backups.

    Raises ``EnvironmentProblem``, and no file is left then. Without a key for backups the file, which only
    its owner may read, is not encrypted; the copy of an encrypted database stays encrypted within it.
    """
    name = environment or provider.current
    size = provider.get(name).size or 0
    recipients = keys.recipients(keys.identities())
    seconds: dict[str, float] = {}
    with staging(folder.folder()) as place:
        check_space(place, 2 * size)  # the copy, and the backup that is made of it
        database, made = place / manifest.DATABASE, place / "made"
        moment = datetime.now(UTC).replace(microsecond=0)
        with _timed(seconds, "copy"):
            progress("Copying", 0, size)
            provider.capture(name, database)
        redis = _dump_redis(place / manifest.REDIS, seconds, progress)
        with _timed(seconds, "pack"):
            about = _about(provider, name, database, redis, moment)
            entry = provider.file_database(database)
            held, sha256 = _pack(made, entry, about, recipients, place, progress)
        path = folder.put(made, BackupName(moment, 0, name))
    logger.info("Backed up %s: %s, %s bytes", name, path.name, path.stat().st_size)
    signals.made.send_robust(None, name=path.name, environment=name, size=path.stat().st_size)
    return Backup(
        path,
        path.stat().st_size,
        sha256,
        {table: one.rows for table, one in held.tables.items()},
        bool(recipients),
        len(held.probes),
        about.database_bytes,
        seconds,
        database_encrypted=bool(about.database_key),
        has_redis=redis is not None,
    )


def _dump_redis(target: Path, seconds: dict[str, float], progress: Progress) -> int | None:
    """How many bytes Redis holds, where it is part of backups; what is in it can all be made again."""
    if not settings.AFN_BACKUP_REDIS_URL:
        return None
    with _timed(seconds, "redis"):
        try:
            return dump(
                settings.AFN_BACKUP_REDIS_URL, target, lambda done, total: progress("Redis", done, total)
            )
        except NotDumped as error:
            raise BackupProblem(f"AFN_BACKUP_REDIS_URL: {error}") from error


def _about(provider: Provider, name: str, database: Path, redis_bytes: int | None, moment: datetime) -> About:
    entry = provider.file_database(database)
    with opened_database(ALIAS, entry):
        migrations = applied_migrations(ALIAS)
    return About(
        created_at=moment,
        environment=name,
        engine=engines.engine_of(provider),
        database_key=engines.database_key(entry),
        database_bytes=database.stat().st_size,
        redis_bytes=redis_bytes,
        migrations=migrations,
        tools=manifest.tools(),
    )


def applied_migrations(alias: str) -> list[str]:
    """`app.name` of each, sorted."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connections[alias]).applied_migrations())


def _pack(
    made: Path,
    entry: dict[str, Any],
    about: About,
    recipients: list[Any],
    place: Path,
    progress: Progress,
) -> tuple[Manifest, str]:
    """What the copy holds, and the hash of the backup: it is read and packed at once, as what it holds is
    written last."""
    written = 0

    def told_bytes(count: int) -> None:
        nonlocal written
        written += count
        progress("Packing", written, about.database_bytes)

    with ThreadPoolExecutor(1, "backup-hash") as pool, writing(made, recipients) as (archive, sha256):
        reading = pool.submit(_read, entry)
        archive.add_bytes(manifest.ABOUT, about.model_dump_json().encode())
        archive.add_file(manifest.DATABASE, place / manifest.DATABASE, told_bytes)
        if about.redis_bytes is not None:
            archive.add_file(manifest.REDIS, place / manifest.REDIS)
        progress("Reading the rows", 0, 0)
        held = replace(reading.result(), members=dict(archive.hashes))
        archive.add_bytes(manifest.MANIFEST, held.as_bytes())
    return held, sha256()


def _read(entry: dict[str, Any]) -> Manifest:
    """In a thread, which has a connection of its own."""
    with opened_database(ALIAS, entry):
        tables = fingerprints.take(ALIAS)
        return Manifest(tables, fingerprints.schema_hash(ALIAS), _probes())


def _probes() -> list[Probe]:
    """None where nothing can be searched: before migrations have run, or where an index is broken. The rows
    are backed up all the same."""
    try:
        return probes.take(ALIAS)
    except (DatabaseError, VectorError) as error:
        logger.warning("The backup has no probe searches: %s", error)
        return []


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 3)
