"""What is examined, in the order in which it is told: first what all else stands on."""

from typing import Final

from ..examining import Examination
from . import (
    backups,
    certificates,
    collections,
    configuration,
    connection,
    disk,
    drift,
    embedders,
    events,
    integrity,
    jobs,
    leftovers,
    migrations,
    permissions,
    pragmas,
    redis,
    replica,
    slow,
    versions,
    workers,
)

# Whether there is a database at all decides about the examinations that need one.
FIRST: Final = Examination("database", "connection", connection.look, timeout=20)

ALL: Final = (
    FIRST,
    Examination("database", "pragmas", pragmas.look, needs_database=True),
    Examination("database", "replica", replica.look, needs_database=True),
    Examination("database", "leftovers", leftovers.look),
    Examination("versions", "packages", versions.look),
    Examination("versions", "engine", versions.look_at_engine, needs_database=True),
    Examination("settings", "checks", configuration.look, timeout=30),
    Examination("settings", "secrets", configuration.look_at_secrets, timeout=30),
    Examination("schema", "migrations", migrations.look, needs_database=True),
    Examination("schema", "drift", drift.look, timeout=90, needs_database=True),
    Examination("data", "references", integrity.look_at_references, 60, 3_600, needs_database=True),
    Examination("data", "pages", integrity.look_at_pages, 60, 3_600, needs_database=True),
    Examination("vectors", "collections", collections.look, 30, needs_database=True),
    Examination("vectors", "verify", collections.verify_all, 10, 7_200, needs_database=True),
    Examination("vectors", "migrations", collections.look_at_migrations, needs_database=True),
    Examination("vectors", "embedders", embedders.look, 60, 180, needs_database=True),
    Examination("redis", "redis", redis.look, timeout=15),
    Examination("workers", "workers", workers.look_at_workers),
    Examination("workers", "scheduler", workers.look_at_scheduler, needs_database=True),
    Examination("jobs", "jobs", jobs.look, needs_database=True),
    Examination("jobs", "events", events.look, needs_database=True),
    Examination("disk", "disk", disk.look),
    Examination("disk", "clock", disk.look_at_clock),
    Examination("disk", "server clock", disk.look_at_server_clock, needs_database=True),
    Examination("permissions", "permissions", permissions.look),
    Examination("certificates", "certificates", certificates.look, timeout=30),
    Examination("backups", "backups", backups.look, timeout=60),
    Examination("backups", "drills", backups.look_at_drills, needs_database=True),
    Examination("queries", "slow queries", slow.look, needs_database=True),
)
AREAS: Final = tuple(dict.fromkeys(one.area for one in ALL))
