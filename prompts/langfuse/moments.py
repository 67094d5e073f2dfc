"""Moments as Langfuse writes them: UTC, milliseconds, ``Z``."""

from datetime import UTC, datetime


def as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
