"""Restoring a backup from the console: by the web server's process, in the request that asks for it.

Not by a job: its row stands in the database that is replaced. `restore` changes places in one step, and what
uses the old file notices by itself, in this process as in others, as with `manage.py restore_database`. A
request that breaks off, or a server that is ended meanwhile, leaves the old database or the new one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone

from ops.audit.recording import try_record
from ops.environments.current import get_provider
from prompts.models import User

from . import folder
from .catalogue import fetch
from .errors import BackupProblem
from .names import BackupName
from .restoring import Restored, restore


@dataclass(frozen=True)
class InPlace:
    """``is_logged_in``: the session of who asked is in the restored database, too."""

    restored: Restored
    is_logged_in: bool
    frozen: str = ""


def restore_in_place(name: BackupName, user: User, session: str, *, migrate: bool = False) -> InPlace:
    """Raises ``EnvironmentProblem``; the current database is as it was then.

    It is recorded in both databases: in the old one before, in the new one after.
    """
    provider = get_provider()
    facts = {"kind": "ops.backup", "key": str(name)[:64], "name": str(name)}
    with _alone():
        file = fetch(str(name))
        try_record("backup.restoring", **facts, changes={"environment": provider.current})
        done = restore(provider, file, migrate=migrate)
    try_record("backup.restored", **facts, changes={"environment": done.environment, "kept": done.kept})
    return InPlace(done, _knows(user, session), provider.get(provider.current).frozen)


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time, of all processes: two would each delete what they take for left behind."""
    try:
        folder.folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder.folder() / ".restoring", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise BackupProblem(f"{folder.folder()}: cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BackupProblem("Somebody else is restoring a backup. Wait until that is done.") from error
    finally:
        os.close(lock)


def _knows(user: User, session: str) -> bool:
    """Whether the database of now has this user, with the same password, and this session."""
    try:
        found = User.objects.filter(pk=user.pk, is_active=True, password=user.password).exists()
        sessions = Session.objects.filter(session_key=session, expire_date__gt=timezone.now())
        return found and sessions.exists()
    except DatabaseError:
        return False
