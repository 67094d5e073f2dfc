"""Tickets: a program with a key gets one, and gives it to a page, which may connect with it once and soon.

A ticket is signed, so that nothing is kept of those that nobody uses. Of one that was used its hash is kept,
beside the keys of requests that are sent twice: the database lets one of two who come at once have it.
"""

import hashlib
from typing import Final

from django.core import signing
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from ops.models import IdempotencyKey
from prompts.models import ApiKey, User

from .callers import Caller, of_ids

SECONDS: Final = 30
MAX_LENGTH: Final = 400
_OWNER: Final = "realtime ticket"


def issue(user: User, key: ApiKey | None) -> str:
    facts = [str(user.pk), str(key.pk) if key else "", get_random_string(22)]
    return _signer().sign_object(facts)


def redeem(ticket: str) -> Caller | None:
    """Whose it is; None where it is wrong, too old, used, or its key is over."""
    if len(ticket) > MAX_LENGTH:
        return None
    try:
        facts = _signer().unsign_object(ticket, max_age=SECONDS)
    except signing.BadSignature:
        return None
    user_id, key_id, _ = facts
    return of_ids(user_id, key_id) if _claim(ticket) else None


def _claim(ticket: str) -> bool:
    now = timezone.now()
    digest = hashlib.sha256(ticket.encode()).hexdigest()
    try:
        with transaction.atomic(using=DEFAULT_DB_ALIAS):
            IdempotencyKey.objects.using(DEFAULT_DB_ALIAS).create(
                owner=_OWNER, key=digest, request_hash=digest, created_at=now, claimed_at=now
            )
    except IntegrityError:
        return False
    return True


def _signer() -> signing.TimestampSigner:
    """Without a colon, which no subprotocol of WebSocket may have."""
    return signing.TimestampSigner(sep="~", salt="afn.realtime.ticket")
