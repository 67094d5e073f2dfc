"""The database: it can be read and, unless it is frozen, written."""

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.utils.translation import gettext_noop as _

from ops.health import signs
from ops.health.states import Finding, Status, sample
from ops.said import say


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
            return Finding(Status.DEGRADED, say(_("frozen: it is read, and not written")), read, samples)
        name = getattr(error.__cause__, "sqlite_errorname", type(error).__name__)
        detail = say(_("it is read, and cannot be written: %(error)s"), error=name)
        return Finding(Status.DOWN, detail, read, samples)
    wrote = time.perf_counter() - started
    samples.append(sample("afn_database_write_seconds", wrote))
    detail = say(
        _("read in %(read)s ms, written in %(written)s ms"),
        read=f"{1_000 * read:.1f}",
        written=f"{1_000 * wrote:.1f}",
    )
    return Finding(Status.OK, detail, read, samples)
