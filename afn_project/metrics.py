"""What only the engine knows, for health and monitoring: the replica's lag, and streams to a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_noop as _

from ops.health import parts
from ops.health.probing import Part
from ops.health.states import Finding, Status, sample
from ops.health.thresholds import REPLICA_LAG
from ops.monitoring.counters import db_connections
from ops.said import say

from .libsql.dsn import parse_name
from .libsql.pool import open_streams
from .libsql.sync import read_status

REPLICA = "replica"


def install() -> None:
    """Once for each process."""
    parts.add(Part(REPLICA, probe_replica))
    connection_created.connect(_count_streams, dispatch_uid="streams")


def probe_replica() -> Finding:
    """The local copy is brought up to date all the time, or the server that follows can be read.

    Where neither is so, the primary answers instead: that is slower, and no more.
    """
    settings = connections.databases.get(REPLICA)
    if settings is None:
        return Finding(Status.DISABLED)
    name = str(settings["NAME"])
    if name.startswith("file:"):
        return judge_copy(parse_name(name).file)
    with connections[REPLICA].cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        cursor.fetchone()
    return Finding(Status.OK, say(_("can be read")))


def judge_copy(file: Path) -> Finding:
    status = read_status(file)
    if status is None:
        endless = [sample("afn_replica_lag_seconds", float("inf"))]
        return Finding(Status.DEGRADED, say(_("the copy was never made")), None, endless)
    lag = status.lag
    level = Status.DEGRADED if REPLICA_LAG.is_crossed(lag) else Status.OK
    detail = say(_("%(seconds)s s behind at most"), seconds=f"{lag:.0f}")
    return Finding(level, detail, lag, [sample("afn_replica_lag_seconds", lag)])


_streams: dict[str, int] = {}


def _count_streams(connection: Any, **_kwargs: Any) -> None:
    target = getattr(connection, "target", None)
    if target is not None and target.is_remote and _note_streams not in connection.execute_wrappers:
        connection.execute_wrappers.append(_note_streams)


def _note_streams(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """A pool has more streams or fewer after a statement than before, and at no other time."""
    try:
        return execute(sql, params, many, context)
    finally:
        connection: Any = context["connection"]
        alias, target = connection.alias, connection.target
        count = open_streams(target.url, target.namespace)
        if _streams.get(alias) != count:
            _streams[alias] = count
            db_connections.labels(alias).set(count)
