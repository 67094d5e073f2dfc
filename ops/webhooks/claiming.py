"""Claims on what is to be sent: one sender at a time, and free again where that one has died.

For rows with `status`, `attempts`, `claimed_at`, `next_attempt_at` and `error`, as deliveries have them.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, QuerySet

from .models import DeliveryStatus
from .retrying import MAX_ATTEMPTS

# Longer than an attempt can last (`sending.DEADLINE`), even on a machine that is out of breath.
LEASE: Final = timedelta(seconds=60)


def claim(rows: QuerySet[Any], waiting: QuerySet[Any], key: str, now: datetime) -> bool:
    """Have one of `rows` to send, counted as an attempt, unless it is not among those `waiting` any more."""
    claimed = rows.filter(pk__in=waiting.filter(pk=key).values("pk"), status=DeliveryStatus.PENDING)
    return claimed.update(status=DeliveryStatus.SENDING, claimed_at=now, attempts=F("attempts") + 1) == 1


def free_abandoned(rows: QuerySet[Any], now: datetime) -> int:
    """Free the claims of those who have died; returns how many."""
    abandoned = rows.filter(status=DeliveryStatus.SENDING, claimed_at__lt=now - LEASE)
    # It may be what they die of.
    text = "who sent it has died, each time"
    abandoned.filter(attempts__gte=MAX_ATTEMPTS).update(
        status=DeliveryStatus.FAILED, claimed_at=None, error=text
    )
    return abandoned.update(status=DeliveryStatus.PENDING, claimed_at=None, next_attempt_at=now)
