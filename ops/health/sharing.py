"""What one process has found out, for the others of the machine: a file in AFN_RUN_DIR, written in one step.

Where the folder cannot be written, each process looks for itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from .states import Health, State

logger = logging.getLogger(__name__)
_OF: Final = ("REDIS_URL", "CELERY_BROKER_URL", "AFN_BACKUPS_DIR", "AFN_ENVIRONMENTS_DIR")


def read() -> Health | None:
    """What was found last by whichever process; None where nothing was, or nothing of this version."""
    try:
        packed = json.loads(_file(".json").read_bytes())
        states = {state["part"]: State.unpacked(state) for state in packed["states"]}
        return Health(float(packed["at"]), states)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(health: Health) -> None:
    packed = {"at": health.at, "states": [state.packed() for state in health.states.values()]}
    new = _file(f".{os.getpid()}")
    try:
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_text(json.dumps(packed), encoding="utf-8")
        new.replace(_file(".json"))
    except OSError as error:  # a full disk, of all things, must not keep anybody from knowing
        logger.debug("The state of health cannot be shared: %s", error)
        with suppress(OSError):
            new.unlink()


@contextmanager
def claimed() -> Iterator[bool]:
    """Whether this process is the one to look; another one is at it otherwise."""
    try:
        lock = _file(".lock")
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def is_first(text: str) -> bool:
    """Whether no process of this machine has asked so before, apart from what was asked since."""
    try:
        with _file(".first").open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            if file.read() == text:
                return False
            file.truncate(0)
            file.write(text)
    except OSError:
        return True
    return True


def _file(ending: str) -> Path:
    """Another one for each set of parts: one machine may run AFN on several databases."""
    about = [str(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])]
    about += [str(getattr(settings, name)) for name in _OF]
    digest = hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]
    return Path(settings.AFN_RUN_DIR) / f"health-{digest}{ending}"
