"""Putting a backup into the place of the live database, or into a file of its own.

The order is what makes it safe: the backup is read to its end and checked; it becomes an environment beside
the live one; all that it holds is compared with what it says; and only then do the two change places, in one
step. Until then nothing of the live database was touched, and afterwards it is kept as an environment.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from django.core.management import call_command
from django.db import DatabaseError, connections

from ops.environments.base import Provider
from ops.environments.opening import opened, opened_database
from ops.environments.temporary import clear_left, loaded
from prompts.models.epoch import RegistryEpoch
from vectors.catalogue import renew_generation
from vectors.models import Collection

from . import engines, folder, manifest
from .errors import BackupProblem, DamagedBackup, NotProved, Unsuitable, WrongKey
from .making import Progress, silent
from .manifest import About
from .proving import Proof, prove, traps
from .staging import staging
from .unpacking import Unpacked, read_about, unpack

logger = logging.getLogger(__name__)
PURPOSE: Final = "restore"
_FILE: Final = "restored"  # an alias
_SHOWN: Final = 5


@dataclass
class Restored:
    """``environment`` has what was backed up now, and ``kept`` says where what it had before is; or ``path``
    is the file that was made. ``proof`` is what was compared."""

    about: About
    proof: Proof
    environment: str = ""
    kept: str = ""
    path: Path | None = None
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment or None,
            "kept": self.kept or None,
            "path": self.path and str(self.path),
            "backup_of": self.about.environment,
            "backup_created_at": self.about.created_at.isoformat(),
            **self.proof.as_json(),
            "notes": self.notes,
        }


def check_suitable(about: About, provider: Provider, *, migrate: bool = False) -> None:
    """Raises ``Unsuitable`` or ``WrongKey`` for a backup that this AFN cannot work on in place."""
    engine = engines.engine_of(provider)
    if about.engine != engine:
        raise Unsuitable(
            f"The backup is of {_article(about.engine)}, and this AFN works on {_article(engine)}. With "
            "--into PATH it becomes a file of its own."
        )
    _check_database_key(about, provider)
    here = _migrations_of_the_code()
    if unknown := manifest.missing_migrations(about.migrations, here):
        raise Unsuitable(
            f"The backup has migrations that this AFN does not know ({_some(unknown)}). Install the version "
            "that made it, or a later one."
        )
    if not migrate and (missing := manifest.missing_migrations(here, about.migrations)):
        raise Unsuitable(
            f"The backup lacks migrations of this AFN ({_some(missing)}). Install the version that made it; "
            "or add --migrate, which runs them on what is restored before it takes its place."
        )


def restore(
    provider: Provider, file: Path, *, migrate: bool = False, progress: Progress = silent
) -> Restored:
    """Replace the current environment by what a backup holds. Raises ``EnvironmentProblem``; the current one
    is as it was then."""
    check_suitable(read_about(file), provider, migrate=migrate)
    notes = clear_left(provider, PURPOSE, _steps(progress))
    with staging(folder.folder()) as place:
        database = place / manifest.DATABASE
        unpacked = unpack(file, database, progress)
        # Once more: now it is known that nobody has changed it.
        check_suitable(unpacked.about, provider, migrate=migrate)
        _check(traps_in(provider, database))
        with loaded(provider, PURPOSE, database, notes) as name:
            with opened(provider, name) as alias:
                proof = _proved(alias, unpacked, progress)
                if migrate:
                    progress("Migrating", 0, 0)
                    call_command("migrate", database=alias, interactive=False, verbosity=0)
                _make_new(alias)
            progress("Changing places", 0, 0)
            before = f"before-restore-{datetime.now(UTC):%Y%m%d%H%M%S}-{token_hex(2)}"
            kept = provider.replace(provider.current, source=name, kept=before)
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()  # it is that of the old file
    logger.warning(
        "Restored %s from %s; what was there is kept: %s", provider.current, file.name, kept or "-"
    )
    return Restored(unpacked.about, proof, provider.current, kept, notes=notes)


def restore_into(provider: Provider, file: Path, target: Path, *, progress: Progress = silent) -> Restored:
    """Make a libSQL file of what a backup holds, of whatever engine it is; `target` must not be there yet."""
    _check_free(target)
    _check_database_key(read_about(file), provider)
    with staging(target.parent) as place:
        database = place / manifest.DATABASE
        unpacked = unpack(file, database, progress)
        _check_database_key(unpacked.about, provider)
        entry = provider.file_database(database)
        if not unpacked.about.database_key:
            entry = {**entry, "OPTIONS": {**entry.get("OPTIONS", {}), engines.ENCRYPTION: ""}}
        with opened_database(_FILE, entry):
            proof = _proved(_FILE, unpacked, progress)
            with connections[_FILE].cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.fetchall()
        _give_name(database, target)
    return Restored(unpacked.about, proof, path=target)


def restore_redis_into(file: Path, target: Path) -> int:
    """Make a file of what Redis held, which a Redis loads when it starts; its size in bytes."""
    _check_free(target)
    if read_about(file).redis_bytes is None:
        raise BackupProblem(f"{file.name} has nothing of Redis: AFN_BACKUP_REDIS_URL was not set.")
    with staging(target.parent) as place:
        unpack(file, redis=place / manifest.REDIS)
        _give_name(place / manifest.REDIS, target)
    return target.stat().st_size


def traps_in(provider: Provider, database: Path) -> list[str]:
    """Of a database that was unpacked, before it is loaded: a server evaluates constraints as rows come in.

    Raises ``DamagedBackup`` where it is no database.
    """
    try:
        with opened_database(_FILE, provider.file_database(database)):
            return traps(_FILE)
    except DatabaseError as error:
        raise DamagedBackup(f"{manifest.DATABASE} cannot be opened: {error}. Take another backup.") from error


def _check_free(target: Path) -> None:
    if os.path.lexists(target):
        raise BackupProblem(f"{target}: there is such a file already. Name another one, or remove it.")
    if not target.parent.is_dir():
        raise BackupProblem(f"{target.parent}: there is no such folder.")


def _give_name(made: Path, target: Path) -> None:
    """In one step, and only where there is no such file yet."""
    try:
        os.link(made, target)
        folder.sync(target.parent)
    except OSError as error:
        raise BackupProblem(f"{target}: cannot be made: {error.strerror}.") from error


def _proved(alias: str, unpacked: Unpacked, progress: Progress) -> Proof:
    proof = prove(alias, unpacked.manifest, progress)
    _check(proof.problems)
    return proof


def _check(problems: list[str]) -> None:
    if problems:
        raise NotProved(
            "What was restored is not what was backed up, so that nothing was changed: "
            f"{_some(problems)}. Take another backup: `manage.py list_backups`."
        )


def _make_new(alias: str) -> None:
    """Numbers of a restored database count on from where they were: what anybody has kept of the one that it
    replaces must not be taken for its own."""
    RegistryEpoch.objects.using(alias).filter(pk=1).delete()
    RegistryEpoch.objects.using(alias).create(pk=1)
    for collection in Collection.objects.using(alias):
        renew_generation(collection)


def _check_database_key(about: About, provider: Provider) -> None:
    here = engines.database_key(provider.file_database(Path("any.db")))
    if about.database_key and about.database_key != here:
        raise WrongKey(
            "The database in the backup is encrypted by another key than AFN_DATABASE_KEY. Set the one that "
            "it had."
        )


def _migrations_of_the_code() -> list[str]:
    from django.db.migrations.loader import MigrationLoader

    return sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)


def _steps(progress: Progress) -> Callable[[str], None]:
    return lambda step: progress(step, 0, 0)


def _article(engine: str) -> str:
    return {"encrypted file": "an encrypted file", "turso": "a database at Turso"}.get(engine, f"a {engine}")


def _some(texts: list[str]) -> str:
    return "; ".join(texts[:_SHOWN]) + (f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
