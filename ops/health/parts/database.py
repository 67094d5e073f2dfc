"""The database: it can be read and, unless it is frozen, written."""

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from ops.health import signs
from ops.health.states import Finding, Status, sample


def probe() -> Finding:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        cursor.fetchone()
    read = time.perf_counter() - started
    samples = [sample("afn_database_read_seconds", read)]
    started = time.perf_counter()
    try:
        with connection.lock_timeout(1.5):
            signs.note(signs.WRITE)
    except OperationalError as error:
        if hasattr(error, "reason"):  # the engine's WritesBlocked, which this app cannot import
            return Finding(Status.DEGRADED, "frozen: it is read, and not written", read, samples)
        name = getattr(error.__cause__, "sqlite_errorname", type(error).__name__)
        return Finding(Status.DOWN, f"it is read, and cannot be written: {name}", read, samples)
    wrote = time.perf_counter() - started
    samples.append(sample("afn_database_write_seconds", wrote))
    return Finding(
        Status.OK, f"read in {1_000 * read:.1f} ms, written in {1_000 * wrote:.1f} ms", read, samples
    )
