"""What Redis says of itself (`INFO`), judged by what AFN uses it for."""

from collections.abc import Mapping
from typing import Any, Final

from .findings import Report

OLDEST: Final = 7
_FULL, _CROWDED = 0.9, 0.8
_APART: Final = (
    "Give the queue a Redis of its own with `noeviction` (CELERY_BROKER_URL), or set "
    "`maxmemory-policy volatile-lru`."
)

Info = Mapping[str, Any]


def judge(info: Info, report: Report) -> None:
    """Add what the figures say to the report."""
    _version(info, report)
    _memory(info, report)
    _policy(info, report)
    _evictions(info, report)
    _persistence(info, report)
    _clients(info, report)


def _version(info: Info, report: Report) -> None:
    version = str(info.get("redis_version", "unknown"))
    if (first := version.partition(".")[0]).isdigit() and int(first) >= OLDEST:
        report.ok("version", version)
    else:
        report.fail(
            "version",
            f"{version}; AFN needs {OLDEST} or newer",
            "Upgrade Redis: its users need ACL selectors.",
        )


def _memory(info: Info, report: Report) -> None:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    report.figures |= {"used_memory_bytes": used, "maxmemory_bytes": most}
    if not most:
        report.warn(
            "memory",
            f"{_mb(used)} used, without a bound",
            "Set `maxmemory` below what the machine or container has, or the system ends Redis one day.",
        )
    elif used > _FULL * most:
        report.warn(
            "memory",
            f"{_mb(used)} of {_mb(most)} used",
            "Raise `maxmemory`; see with `redis-cli --bigkeys` or Redis Insight what takes it.",
        )
    else:
        report.ok("memory", f"{_mb(used)} of {_mb(most)} used")


def _policy(info: Info, report: Report) -> None:
    policy = str(info.get("maxmemory_policy", "unknown"))
    if "queue" in report.uses and policy != "noeviction" and not policy.startswith("volatile-"):
        report.warn("eviction policy", f"{policy} can delete tasks that wait in the queue", _APART)
    elif "queue" not in report.uses and policy == "noeviction":
        report.warn(
            "eviction policy",
            "noeviction refuses to cache anything more when memory is full",
            "Set `maxmemory-policy allkeys-lru`: here is nothing but a cache.",
        )
    else:
        report.ok("eviction policy", policy)


def _evictions(info: Info, report: Report) -> None:
    evicted = int(info.get("evicted_keys", 0))
    report.figures["evicted_keys"] = evicted
    if evicted and "queue" in report.uses:
        report.warn(
            "evictions",
            f"{evicted:,} keys were given up for want of memory since its start",
            "Raise `maxmemory`: the queue shares it.",
        )
    else:
        report.ok("evictions", f"{evicted:,} since its start")


def _persistence(info: Info, report: Report) -> None:
    is_appending = bool(int(info.get("aof_enabled", 0)))
    broken = [
        name
        for name in ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
        if info.get(name, "ok") != "ok"
    ]
    if broken:
        report.fail(
            "persistence",
            f"{', '.join(broken)}: not ok, so Redis may refuse writes",
            "Look for a full or read-only disk at `dir` of its configuration, and into its log.",
        )
    elif "queue" in report.uses and not is_appending:
        report.warn(
            "persistence",
            "tasks that wait are lost when Redis ends; the scheduler finds most of them again",
            "Set `appendonly yes`.",
        )
    else:
        report.ok("persistence", "append-only file" if is_appending else "none, as for a cache")


def _clients(info: Info, report: Report) -> None:
    connected, most = int(info.get("connected_clients", 0)), int(info.get("maxclients", 0))
    report.figures |= {"connected_clients": connected, "maxclients": most}
    if most and connected > _CROWDED * most:
        report.warn(
            "clients",
            f"{connected:,} of {most:,} connected",
            "Raise `maxclients`, or find who opens them: `CLIENT LIST` as the user `monitor`.",
        )
    else:
        report.ok("clients", f"{connected:,} of {most:,} connected")


def _mb(size: int) -> str:
    return f"{size / 1_048_576:,.1f} MiB"
