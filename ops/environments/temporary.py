"""Environments that live as long as one piece of work, such as a rehearsal or a drill.

Their names tell the next run which of them was left by a process that was killed.
"""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex

from .base import EnvironmentProblem, Provider, UnknownEnvironment

# For what, when it began, on which machine, in which process.
_NAME = re.compile(r"([a-z]{1,16})-(\d{14})-([0-9a-f]{6})-([0-9a-f]{1,7})-[0-9a-f]{4}")
_MOMENT = "%Y%m%d%H%M%S"
LONGEST = timedelta(hours=4)  # the token of a server's fork is good for no longer


@contextmanager
def forked(provider: Provider, progress: Callable[[str], None], notes: list[str]) -> Iterator[str]:
    """The name of a fork of the current environment, which is deleted in the end, whatever happens.

    One that cannot be deleted is told in `notes`. Raises ``EnvironmentProblem`` where there is no fork.
    """
    name = temporary_name("rehearsal")
    progress(f"Forking {provider.current} to {name}")
    try:
        provider.fork(provider.current, name)
        yield name
    finally:
        progress(f"Deleting {name}")
        notes += delete(provider, name)


@contextmanager
def loaded(provider: Provider, purpose: str, file: Path, notes: list[str]) -> Iterator[str]:
    """The name of an environment that is made of a libSQL file. Deleted in the end, as `forked` does, unless
    another environment has been replaced by it."""
    name = temporary_name(purpose)
    try:
        provider.load(name, file)
        yield name
    finally:
        notes += delete(provider, name)


def temporary_name(purpose: str) -> str:
    return f"{purpose}-{datetime.now(UTC):{_MOMENT}}-{_machine()}-{os.getpid():x}-{token_hex(2)}"


def clear_left(provider: Provider, purpose: str, progress: Callable[[str], None]) -> list[str]:
    """Delete what was left of work of one kind that was killed; what could not be deleted, and why.

    Those of other machines, whose processes cannot be seen from here, are left until they are too old.
    """
    with suppress(EnvironmentProblem):  # if this matters, the work is going to tell it
        left = [one.name for one in provider.list() if _is_left(one.name, purpose, datetime.now(UTC))]
        for name in left:
            progress(f"Deleting {name}, which a killed {purpose} left")
        return [note for name in left for note in delete(provider, name)]
    return []


def delete(provider: Provider, name: str) -> list[str]:
    try:
        provider.delete(name)
    except UnknownEnvironment:
        return []
    except EnvironmentProblem as problem:
        return [f"{name} is still there, the next run deletes it: {problem}"]
    return []


def _is_left(name: str, purpose: str, now: datetime) -> bool:
    found = _NAME.fullmatch(name)
    if found is None or found[1] != purpose:
        return False
    _, moment, machine, process = found.groups()
    try:
        age = now - datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return False
    return age > LONGEST or (machine == _machine() and not _is_at_work(int(process, 16)))


def _is_at_work(process: int) -> bool:
    """Whether another process of that number is there."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@cache
def _machine() -> str:
    """The same for all that see the same processes: containers may share no more than the host's name."""
    seen = socket.gethostname()
    with suppress(OSError):
        seen += os.readlink("/proc/self/ns/pid")
    return blake2b(seen.encode(), digest_size=3).hexdigest()
