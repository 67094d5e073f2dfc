"""The parts of the archive, each as text or as what JSON can hold."""

import json
import platform
from collections import deque
from importlib.metadata import distributions
from typing import Any, Final

from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder

from ops.health.models import HealthRecord
from ops.health.parts.redis import client
from ops.jobs.models import Job, JobState
from ops.slow_queries import reading
from ops.snapshots import quote, read_schema, table_names

from . import outside
from .areas.disk import log_file
from .areas.versions import server_version
from .examining import Case
from .masking import Masker

LINES: Final = 2_000
_LINE: Final = 4_000  # characters
_ROWS: Final = 500


def versions(case: Case, masker: Masker) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "server": server_version(case.target) if case.file is None else None,
        "packages": dict(sorted((one.name, one.version) for one in distributions())),
    }


def settings(case: Case, masker: Masker) -> Any:
    return masker.values(outside.settings())


def redis(case: Case, masker: Masker) -> Any:
    """`INFO` of each server, by what it is for. It holds no key's content."""
    found: dict[str, Any] = {}
    if django_settings.REDIS_URL:
        urls = {"cache": django_settings.REDIS_URL, "queue": django_settings.CELERY_BROKER_URL}
        for use, url in urls.items():
            with client(url) as connection:
                found[use] = connection.info()
    return masker.values(found)


def log(case: Case, masker: Masker) -> str:
    """The last lines of AFN_LOG_FILE. Without names where these are known, and else none at all."""
    path = log_file()
    if path is None or not path.is_file() or not masker.knows_names:
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = deque(file, maxlen=LINES)
    return "".join(f"{_line(line.rstrip()[:_LINE], masker)}\n" for line in lines)


def _line(line: str, masker: Masker) -> str:
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return masker.people(line)
    return json.dumps(masker.values(fields, people=True), ensure_ascii=False)


def schema(case: Case, masker: Masker) -> str:
    found = read_schema(DEFAULT_DB_ALIAS)
    return masker.secrets("".join(f"-- {name}\n{sql};\n" for name, sql in sorted(found.items())))


def tables(case: Case, masker: Masker) -> dict[str, int]:
    found = {}
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        for name in table_names(DEFAULT_DB_ALIAS, without=()):
            cursor.execute(f"SELECT count(*) FROM {quote(DEFAULT_DB_ALIAS, name)}".replace("%%", "%"))  # noqa: S608
            (found[name],) = cursor.fetchone()
    return found


def migrations(case: Case, masker: Masker) -> list[dict[str, Any]]:
    rows = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).migration_qs.order_by("id")
    return [{"app": one.app, "name": one.name, "applied": one.applied.isoformat()} for one in rows]


def health(case: Case, masker: Masker) -> Any:
    rows = HealthRecord.objects.order_by("-at")[:_ROWS]
    return masker.values(list(rows.values("at", "part", "status", "value", "detail")), people=True)


def jobs(case: Case, masker: Masker) -> Any:
    """Those that failed, without what they were given and what came of them, which may hold anything."""
    rows = Job.objects.filter(state=JobState.FAILED).order_by("-finished_at")[:_ROWS]
    fields = (
        "id",
        "kind",
        "attempts",
        "max_attempts",
        "cause",
        "created_at",
        "started_at",
        "finished_at",
        "actor_id",
    )
    return masker.values(list(rows.values(*fields)), people=True)


def slow_queries(case: Case, masker: Masker) -> Any:
    """By statement, in which values are `?` already."""
    return masker.values(
        [
            {
                "fingerprint": one.fingerprint,
                "count": one.count,
                "p50": one.p50,
                "longest": one.longest,
                "last": one.latest.created_at.isoformat(),
                "sql": one.latest.sql,
                "plan": one.latest.plan,
                "place": one.latest.place,
                "caller": one.latest.caller,
            }
            for one in reading.groups(_ROWS)
        ]
    )
