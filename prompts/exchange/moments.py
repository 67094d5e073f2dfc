"""Moments in files: UTC, to the microsecond, ``2026-05-01T09:30:00.123456Z``."""

from datetime import UTC, datetime
from typing import Any

from .problems import WrongValue, shown


def as_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def in_milliseconds(moment: datetime) -> str:
    """As Langfuse writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(value: Any, field: str) -> datetime:
    """Raises ``WrongValue``. A moment without a time zone is one of UTC."""
    wanted = "a date and time such as 2026-05-01T09:30:00Z"
    if not isinstance(value, str) or len(value) > 64:
        raise WrongValue(field, wanted, shown(value))
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongValue(field, wanted, shown(value)) from error


def read_optional(value: Any, field: str) -> datetime | None:
    return None if value is None else read_moment(value, field)
