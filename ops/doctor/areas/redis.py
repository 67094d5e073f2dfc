"""The cache's Redis and the queue's, as `check_redis` looks at them, but without writing anything."""

from typing import Final

from django.conf import settings

from ops.redis.checking import check_all

from ..examining import Case
from ..findings import Notes

_CAUSES: Final = {
    "connection": "Nothing is cached, which is slower, and no worker is told of anything: it waits.",
    "user": "Whoever has its password may do anything there, such as to read and delete what is not AFN's.",
    "transport": "Passwords, and what is cached, could be read on the way; or soon nobody connects any more.",
    "version": "AFN's users need what older ones have not.",
    "memory": "A full Redis refuses writes, or is ended by the system.",
    "eviction policy": "What waits in the queue can be deleted, or the cache can stand still.",
    "evictions": "The cache, or what waits in the queue, was given up.",
    "persistence": "What waits in the queue is lost when Redis ends.",
    "clients": "The next one is refused.",
    "clock": "Limits and claims go by the clock.",
}
_NOT_JSON: Final = "Whoever can write to Redis could have AFN run any code."


def look(notes: Notes, case: Case) -> None:
    if not settings.REDIS_URL:
        notes.ok(
            "Redis", "none is configured: the cache is each process's own, and work is done by the web server"
        )
        return
    for report in check_all(operations=0):
        for one in report.findings:
            name = f"{' and '.join(report.uses)}: {one.name}"
            if one.level == "ok":
                notes.ok(name, one.text)
            else:
                add = notes.warn if one.level == "warning" else notes.problem
                add(name, one.text, _CAUSES.get(one.name, "The cache or the queue may fail."), one.remedy)
    look_at_formats(notes)


def look_at_formats(notes: Notes) -> None:
    """Nothing but JSON may be read from Redis."""
    serializer = str(settings.CACHES["default"].get("OPTIONS", {}).get("SERIALIZER", ""))
    if serializer.endswith("JSONSerializer"):
        notes.ok("cache: format", "JSON")
    else:
        notes.problem(
            "cache: format",
            serializer or "pickle",
            _NOT_JSON,
            "Set SERIALIZER of CACHES to django_redis.serializers.json.JSONSerializer, as settings.py has "
            "it.",
        )
    accepted = list(settings.CELERY_ACCEPT_CONTENT)
    if accepted == ["json"]:
        notes.ok("queue: format", "JSON")
    else:
        notes.problem(
            "queue: format",
            ", ".join(map(str, accepted)),
            _NOT_JSON,
            "Set CELERY_ACCEPT_CONTENT to ['json'], as settings.py has it.",
        )
