"""The names of the parts, apart from their probes: settings are read before there are models."""

from typing import Final

PARTS: Final = (
    "database", "replica", "redis", "broker", "search", "workers", "jobs", "scheduler", "disk", "backups",
    "embedder",
)  # fmt: skip
