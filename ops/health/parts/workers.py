"""Celery's workers: one of them has given a sign lately.

Each writes one into Redis with its heartbeat, every few seconds, from the process that takes tasks out of the
queue. A worker that lives and gets nothing done shows in the age of the queue (`jobs`).
"""

import time
from typing import Any, Final

from celery.signals import heartbeat_sent
from django.conf import settings
from django.utils.translation import gettext_noop as _
from redis.exceptions import RedisError

from ops.health.states import Finding, Status
from ops.health.thresholds import WORKER_SILENCE
from ops.said import say

from .redis import client

_KEY: Final = "afn:health:worker"
_EVERY: Final = 2.0  # seconds
_KEPT: Final = 86_400
_noted = 0.0


def probe() -> Finding:
    if not settings.REDIS_URL:
        return Finding(Status.DISABLED)
    with client(settings.REDIS_URL) as redis:
        found: Any = redis.get(_KEY)
    if found is None:
        return Finding(Status.DOWN, say(_("no worker has given a sign")))
    silence = max(0.0, time.time() - float(found))
    status = Status.DOWN if WORKER_SILENCE.is_crossed(silence) else Status.OK
    detail = say(_("a worker gave a sign %(seconds)s s ago"), seconds=f"{silence:.0f}")
    return Finding(status, detail, silence)


@heartbeat_sent.connect(dispatch_uid="health")
def give_sign(**_kwargs: Any) -> None:
    """In the worker's own loop, so never waited for long."""
    global _noted
    now = time.monotonic()
    if now - _noted < _EVERY or not settings.REDIS_URL:
        return
    _noted = now
    try:
        with client(settings.REDIS_URL) as redis:
            redis.set(_KEY, repr(time.time()), ex=_KEPT)
    except (RedisError, OSError):  # who asks finds that out by itself
        return
