"""The copy that pages are read from, where there is one: as health looks at it."""

from ops.health.parts import all_parts
from ops.health.states import Status

from ..examining import Case
from ..findings import Notes


def look(notes: Notes, case: Case) -> None:
    for part in all_parts():
        if part.name != "replica":
            continue
        found = part.probe()
        if found.status == Status.OK:
            notes.ok("replica", found.detail)
        elif found.status != Status.DISABLED:
            notes.warn(
                "replica",
                found.detail,
                "Pages show an older state, or are read from the primary instead, which is slower.",
                "TURSO_SYNC_URL: is `manage.py sync_replica` running? TURSO_REPLICA_URL: is that server "
                "running, and does it reach its primary?",
            )
