"""The epoch of the registry: a text that is another one after every write. What is cached is cached under it.

With Redis it is a random token there, which costs a request one look. A writer puts a new token in its place
after its commit and before its answer, and no token ever comes back: an answer kept under a token was read
after the last write before it, so nobody who asks after a write sees what was before.

Three things could break that, and are looked after. Redis is out of reach of the writer: then every process
that failed with it serves by the database's own count, and replaces the token before it trusts one again.
Redis was out of reach of the writer alone: beside the token stands the count of the database, which every
process compares every few seconds. Somebody writes with plain SQL: triggers count that, too. In these two
cases an answer may be stale for CHECK_SECONDS.

Without Redis the epoch is the database's count, which is read for every request.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from vectors.rows import database_behind, run

from . import shared

CHECK_SECONDS: Final = 2.0
_READ: Final = "SELECT generation, number FROM registry_epoch WHERE id = 1"


@dataclass(slots=True)
class _State:
    """What a process knows of one database."""

    database: str
    key: str = ""
    generation: str = "unread"  # a database without tables says "", which is to give a key as well
    next_check: float = 0.0
    is_distrusted: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


_states: dict[str, _State] = {}
_clock: Callable[[], float] = time.monotonic


def current(using: str = DEFAULT_DB_ALIAS) -> str:
    """The epoch now. Raises ``DatabaseError`` where only the database could tell, and does not answer."""
    return current_and("", using)[0]


def current_and(name: str, using: str = DEFAULT_DB_ALIAS) -> tuple[str, bytes | None]:
    """The epoch, and what Redis has under `name`, by one look; None where it has nothing or is not there."""
    if not shared.is_configured():
        return _count(using), None
    state = _state(using)
    now = _clock()
    try:
        if state.is_distrusted or now >= state.next_check:
            _check(state, using, now)
        token, value = shared.call("MGET", state.key, name) if name else (shared.call("GET", state.key), None)
        return (_publish(state, using) if token is None else str(token, "ascii")), value
    except shared.Unavailable:
        state.is_distrusted = True
        return _count(using), None


def rotate(using: str = DEFAULT_DB_ALIAS) -> None:
    """After a commit that changed what is served, before anybody is told of it."""
    if not shared.is_configured():
        return
    state = _state(using)
    try:
        _publish(state, using)
    except (shared.Unavailable, DatabaseError):
        state.is_distrusted = True


def _check(state: _State, using: str, now: float) -> None:
    """See that the token is of the database as it is; where it is not, somebody could not replace it."""
    with state.lock:
        state.next_check = now + CHECK_SECONDS
        try:
            generation, number = _stored(using)
        except DatabaseError:
            if state.is_distrusted or not state.key:
                raise
            return  # what is cached goes on being served
        if generation != state.generation:
            state.generation, state.key = generation, f"afn:serving:{state.database}:{generation}:epoch"
        token = shared.call("GET", state.key)
        if state.is_distrusted or token is None or str(token, "ascii").rpartition(":")[2] != str(number):
            _replace(state, number)


def _publish(state: _State, using: str) -> str:
    generation, number = _stored(using)
    if generation != state.generation:
        state.generation, state.key = generation, f"afn:serving:{state.database}:{generation}:epoch"
    return _replace(state, number)


def _replace(state: _State, number: int) -> str:
    token = f"{secrets.token_hex(8)}:{number}"
    shared.call("SET", state.key, token)
    state.is_distrusted = False
    return token


def _count(using: str) -> str:
    generation, number = _stored(using)
    return f"{generation}:{number}"


def _stored(using: str) -> tuple[str, int]:
    rows = run(connections[using], (_READ, []))
    # Before the first migration has come to its end there is none.
    return (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)


def database(using: str = DEFAULT_DB_ALIAS) -> str:
    """What stands for a database in the names of keys."""
    return _state(using).database


def _state(using: str) -> _State:
    if using not in _states:
        _states[using] = _State(database_behind(connections[using])[:16])
    return _states[using]
