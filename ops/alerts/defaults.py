"""The rules that AFN comes with. A migration adds them, once: what operators change or delete stays so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from ops.health import thresholds as limits


@dataclass(frozen=True, slots=True)
class Default:
    name: str
    metric: str
    threshold: float
    clear: float
    for_seconds: int
    description: str
    comparison: str = "above"
    severity: str = "warning"


RULES: Final = (
    Default("Processors are busy", "cpu_percent", limits.CPU.limit, 70, 300,
            "See what runs: the jobs, and the slow queries. Requests take longer meanwhile."),
    Default("Memory is short", "memory_percent", limits.MEMORY.limit, 80, 300,
            "See which process has grown; restart it, or give the machine more."),
    Default("Redis answers few reads", "cache_hit_rate", limits.HIT_RATE.limit, 0.75, 1_800,
            "See whether Redis gives up keys for want of memory: manage.py check_redis.", "below"),
    Default("A statement was slow", "slowest_query_seconds", limits.SLOW_QUERY.limit, 0.8, 0,
            "See the slow queries, with their plans: manage.py slow_queries."),
    Default("Many connections to the database", "connections", limits.CONNECTIONS.limit, 80, 300,
            "See how many processes and threads there are, and DB_POOL_SIZE."),
    Default("The newest backup is old", "backup_age_hours", limits.BACKUP_AGE.limit / 3_600, 25, 600,
            "See why the job back_up failed, and make a backup: manage.py backup_database.",
            severity="critical"),
    Default("The newest backup in the bucket is old", "uploaded_age_hours", limits.BACKUP_AGE.limit / 3_600,
            25, 600, "See why the job upload_backups failed; manage.py backup_database brings those missing.",
            severity="critical"),
    Default("No backup was proved", "proved_age_hours", 50, 49, 600,
            "Restore one for a try: manage.py drill_backup."),
    Default("Jobs wait for long", "queue_age_seconds", limits.QUEUE_AGE.limit, 60, 60,
            "See whether a worker runs, and what it does: manage.py jobs."),
    Default("Jobs fail", "failed_jobs", 0.5, 0, 0,
            "See the cause of each, and try them again: manage.py jobs list --state failed."),
    Default("Search finds less than it did", "recall_share", limits.RECALL_DROP.limit, 0.97, 0,
            "See what has changed: manage.py evaluate_search, verify_vectors, tune_vectors.", "below"),
    Default("Requests cannot be answered", "not_ready", 0.5, 0, 30,
            "See which part is down: manage.py health.", severity="critical"),
    Default("A part is down", "parts_down", 0.5, 0, 60,
            "See which, and why: manage.py health.", severity="critical"),
    Default("The embedder fails", "health_embedder", 0.5, 0, 300,
            "See why: manage.py doctor --deep --only vectors. Search with mode=keyword works meanwhile."),
    Default("A certificate ends soon", "certificate_days", limits.CERTIFICATE_DAYS.limit, 15, 0,
            "See which: manage.py doctor --only certificates. Renew it, and restart its server.", "below"),
    Default("A disk is nearly full", "disk_free_mb", limits.DISK_FREE_BYTES.limit / 1e6, 400, 300,
            "Free space where the database and its backups are: manage.py prune_backups.",
            "below", "critical"),
)  # fmt: skip


def add(apps: Any, using: str, *names: str) -> None:
    """Those of these names (all, without any) that are not there. `apps` are Django's, or a migration's."""
    rules = apps.get_model("ops", "AlertRule").objects.using(using)
    known = set(rules.values_list("name", flat=True))
    for one in RULES:
        if one.name not in known and (not names or one.name in names):
            rules.create(**asdict(one))


def remove(apps: Any, using: str, *names: str) -> None:
    names = names or tuple(one.name for one in RULES)
    apps.get_model("ops", "AlertRule").objects.using(using).filter(name__in=names).delete()
