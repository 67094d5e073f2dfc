"""What happened last, and how often, as all processes know it: rows of `health_signs` that are written over.

By one statement, past the ORM's signals: the audit log and the outbox are not about this.
"""

import time
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections

from .models import HealthSign

_NOTE: Final = (
    "INSERT INTO health_signs (name, at, count, detail) VALUES (%s, %s, 1, %s) "
    "ON CONFLICT (name) DO UPDATE SET at = excluded.at, count = health_signs.count + 1, "
    "detail = excluded.detail"
)
WRITE: Final = "write"
EMBEDDER_FAILED: Final = "embedder failed"
JOB: Final = "job"  # followed by its kind and what came of it


def note(name: str, detail: str = "") -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_NOTE, [name[:128], time.time(), detail[:200]])


def last(name: str) -> HealthSign | None:
    return HealthSign.objects.filter(pk=name).first()


def note_job(kind: str, outcome: str) -> None:
    note(f"{JOB} {kind} {outcome}")


def counted_jobs() -> dict[tuple[str, str], int]:
    """By kind and outcome: how many jobs ended so since AFN counts."""
    rows = HealthSign.objects.filter(pk__startswith=f"{JOB} ").values_list("name", "count")
    counts = {}
    for name, count in rows:
        kind, _, outcome = name.removeprefix(f"{JOB} ").rpartition(" ")
        counts[kind, outcome] = count
    return counts
