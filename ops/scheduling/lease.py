"""The right to follow the schedules: one process at a time, until it ends, dies or gives no sign."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from .models import SchedulerLease

# Another process takes over so long after the last sign of the one that had it.
LEASE: Final = timedelta(seconds=20)
_RENEW_SECONDS: Final = 5.0


class Lease:
    """This process's try to have it. `holder` says who has it, as of the last try."""

    def __init__(
        self,
        name: str = "schedules",
        *,
        now: Callable[[], datetime] = timezone.now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._now, self._clock = name, now, clock
        self._own = f"{socket.gethostname()[:64]} {os.getpid()} {secrets.token_hex(8)}"
        self._renewed_at = float("-inf")
        self.holder = ""

    def take(self) -> bool:
        """Have it, or go on having it. Asks the database every five seconds while it is had."""
        if self._clock() - self._renewed_at < _RENEW_SECONDS:
            return True
        started = self._clock()
        now = self._now()
        values = {"holder": self._own, "until": now + LEASE}
        rows = SchedulerLease.objects.filter(pk=self._name)
        if not rows.filter(holder=self._own).update(**values) and not rows.filter(until__lt=now).update(
            **values
        ):
            try:
                with transaction.atomic():
                    SchedulerLease.objects.create(pk=self._name, **values)
            except IntegrityError:  # another process has it
                found = rows.values_list("holder", flat=True).first() or ""
                self._renewed_at, self.holder = float("-inf"), found
                return False
        self._renewed_at, self.holder = started, self._own
        return True

    def release(self) -> None:
        """Let another process have it at once."""
        self._renewed_at = float("-inf")
        SchedulerLease.objects.filter(pk=self._name, holder=self._own).delete()
