"""The parts whose health is looked at."""

from typing import Final

from ops.health.names import PARTS
from ops.health.probing import Part

from . import backups, database, disk, embedder, jobs, redis, scheduler, search, workers

_PARTS: Final = [
    Part("database", database.probe),
    Part("redis", redis.probe, timeout=1.5),
    Part("broker", redis.probe_broker, timeout=1.5),
    Part("search", search.probe),
    Part("workers", workers.probe, timeout=1.5),
    Part("jobs", jobs.probe),
    Part("scheduler", scheduler.probe),
    Part("disk", disk.probe),
    Part("backups", backups.probe, every=30.0),
    Part("embedder", embedder.probe, every=10.0),
]
_added: dict[str, Part] = {}


def all_parts() -> list[Part]:
    parts = {part.name: part for part in (*_PARTS, *_added.values())}
    return [parts[name] for name in PARTS if name in parts]


def add(part: Part) -> None:
    """One that this app cannot look at itself, such as the replica, which the engine knows."""
    _added[part.name] = part
