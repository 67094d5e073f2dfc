"""Deleting old lines of the audit log: the one way in which it gets shorter."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from .models import AuditEntry, AuditPruning
from .recording import record

LEAST: Final = timedelta(days=30)


def prune(retention: timedelta, *, now: datetime | None = None) -> int:
    """Delete what is older than that, at least 30 days; returns how many lines. That it was done is a line.

    Raises ``ValueError`` for a shorter time.
    """
    if retention < LEAST:
        raise ValueError(f"expected a retention of at least {LEAST.days} days, got {retention.days}")
    before = (now or timezone.now()) - retention
    with transaction.atomic():
        old = AuditEntry.objects.filter(created_at__lt=before)
        count = old.count()
        if count:
            permit = AuditPruning.objects.create(before=before)
            # In one statement: the rows go unseen, there may be many.
            old._raw_delete(old.db)
            permit.delete()
            changes = {"deleted": count, "before": before.isoformat()}
            record("audit.pruned", kind="ops.auditentry", changes=changes)
    return count
