"""Answers kept under a caller's key, so that a request that is sent twice is carried out once.

A key belongs to who sent it and to one request: the same key with another request is a mistake. While a
request is being carried out, and for LEASE from its start where its process has died, another with its key
has to wait; then it is carried out again. Only answers to requests that succeeded are kept, for KEPT, and
nothing of the requests but a hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from ops.models import IdempotencyKey

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=5)
MAX_ANSWER: Final = 1_000_000


class KeyReused(Exception):
    """The key belongs to another request."""


class InProgress(Exception):
    """The request of that key is being carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to be answered again."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out a request, until `keep` or `release`."""

    pk: int
    claimed_at: datetime

    def keep(self, answer: Answer) -> None:
        if len(answer.body) > MAX_ANSWER:
            self.release()
            return
        IdempotencyKey.objects.filter(pk=self.pk, claimed_at=self.claimed_at).update(
            status=answer.status, content_type=answer.content_type, body=answer.body
        )

    def release(self) -> None:
        IdempotencyKey.objects.filter(pk=self.pk, claimed_at=self.claimed_at, status=None).delete()


def claim(owner: str, key: str, request_hash: str, *, now: datetime | None = None) -> Claim | Answer:
    """The right to carry out the request, or its answer; raises KeyReused or InProgress."""
    now = now or timezone.now()
    forget_old(now)
    try:
        with transaction.atomic():
            made = IdempotencyKey.objects.create(
                owner=owner, key=key, request_hash=request_hash, created_at=now, claimed_at=now
            )
        return Claim(made.pk, now)
    except IntegrityError:
        found = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if found is None:  # it has failed just now
        raise InProgress
    if found.request_hash != request_hash:
        raise KeyReused
    if found.status is not None:
        return Answer(found.status, found.content_type, bytes(found.body))
    if found.claimed_at > now - LEASE:
        raise InProgress
    left = IdempotencyKey.objects.filter(pk=found.pk, claimed_at=found.claimed_at, status=None)
    if left.update(claimed_at=now) != 1:
        raise InProgress
    return Claim(found.pk, now)


def forget_old(now: datetime | None = None) -> int:
    """Delete answers that are not kept any more; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=(now or timezone.now()) - KEPT).delete()[0]
