"""Forks that live as long as one rehearsal, named so that the next run knows one whose process was killed."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from secrets import token_hex

from .environments.base import EnvironmentProblem, Provider, UnknownEnvironment

# When it began, on which machine, in which process.
_NAME = re.compile(r"rehearsal-(\d{14})-([0-9a-f]{6})-([0-9a-f]{1,7})-[0-9a-f]{4}")
_MOMENT = "%Y%m%d%H%M%S"
LONGEST = timedelta(hours=4)  # the token of a server's fork is good for no longer


@contextmanager
def forked(provider: Provider, progress: Callable[[str], None], notes: list[str]) -> Iterator[str]:
    """The name of a fork of the current environment, which is deleted in the end, whatever happens.

    One that cannot be deleted is told in `notes`. Raises ``EnvironmentProblem`` where there is no fork.
    """
    name = f"rehearsal-{datetime.now(UTC):{_MOMENT}}-{_machine()}-{os.getpid():x}-{token_hex(2)}"
    progress(f"Forking {provider.current} to {name}")
    try:
        provider.fork(provider.current, name)
        yield name
    finally:
        progress(f"Deleting {name}")
        notes += _delete(provider, name)


def clear_left(provider: Provider, progress: Callable[[str], None]) -> list[str]:
    """Delete the forks of rehearsals that were killed; what could not be deleted, and why.

    Those of other machines, whose processes cannot be seen from here, are left until they are too old.
    """
    with suppress(EnvironmentProblem):  # if this matters, forking is going to tell it
        left = [one.name for one in provider.list() if _is_left(one.name, datetime.now(UTC))]
        for name in left:
            progress(f"Deleting {name}, which a killed rehearsal left")
        return [note for name in left for note in _delete(provider, name)]
    return []


def _delete(provider: Provider, name: str) -> list[str]:
    try:
        provider.delete(name)
    except UnknownEnvironment:
        return []
    except EnvironmentProblem as problem:
        return [f"{name} is still there, the next rehearsal deletes it: {problem}"]
    return []


def _is_left(name: str, now: datetime) -> bool:
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    moment, machine, process = found.groups()
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
