"""The right to fill a spare space: one process at a time, until it is done, dies, or gives no sign."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction
from django.utils import timezone

from vectors.errors import shown
from vectors.migrating.errors import MigrationBusy
from vectors.migrating.models import EmbeddingMigration

# A process on another machine that gave no sign for so long is dead.
LEASE: Final = timedelta(minutes=2)


@contextmanager
def leased(migration: EmbeddingMigration, alias: str) -> Iterator[str]:
    """Hold the lease, whose text is handed out for `renew`; raises MigrationBusy where another one does."""
    lease = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
    rows = EmbeddingMigration.objects.using(alias).filter(pk=migration.pk)
    with transaction.atomic(using=alias):
        found = rows.first()
        if found is None:
            raise ended()
        if is_held(found.filler, found.filler_at):
            raise MigrationBusy(
                "collection",
                "one that nobody fills",
                shown(found.filler.rpartition(" ")[0]),
                "Wait until that process is done, or end it.",
            )
        rows.update(filler=lease, filler_at=timezone.now())
    try:
        yield lease
    except DatabaseError as error:
        if rows.filter(filler=lease).exists():
            raise
        raise ended() from error  # and its tables went with it
    finally:
        rows.filter(filler=lease).update(filler="", filler_at=None)


def renew(migration: EmbeddingMigration, lease: str, alias: str) -> None:
    """A sign of life; raises MigrationBusy where the lease is lost, or the spaces changed their roles."""
    mine = EmbeddingMigration.objects.using(alias).filter(
        pk=migration.pk, filler=lease, live=migration.live_id, spare=migration.spare_id
    )
    if not mine.update(filler_at=timezone.now()):
        raise ended()


def is_held(filler: str, at: datetime | None) -> bool:
    """Is the process that took this lease alive, as far as one can tell?"""
    if not filler or at is None or timezone.now() - at >= LEASE:
        return False
    host, pid, _ = filler.rsplit(" ", 2)
    return host != socket.gethostname() or _is_alive(int(pid))


def ended() -> MigrationBusy:
    return MigrationBusy("migration", "one that goes on as it began", "a switch, an end, or another filler")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
