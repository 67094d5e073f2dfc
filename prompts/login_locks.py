"""Guessing passwords: after some wrong ones for an account from an address, that address has to wait.

In the database, so that it holds for all processes without Redis, outlives a restart, and an admin can unlock
from anywhere. Only the address is locked out: nobody can lock another one's account for everybody.

django-axes does this with three tables, a middleware and an authentication backend; here name and e-mail are
one account, and what was typed as a name is not kept.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import router, transaction
from django.dispatch import Signal
from django.utils import timezone

from .auth import find_user
from .models import LoginLock, User

# So long after the last wrong password, those before count no more; and rows are deleted.
_KEPT: Final = timedelta(days=1)
# Sent with `user`, None for a name that nobody has, and `address`, empty for all of them.
unlocked = Signal()


def locked_until(login: str, address: str, *, now: datetime | None = None) -> datetime | None:
    """Until when nobody at this address may log in as `login`; None if they may try."""
    if not settings.AFN_LOGIN_FAILURES:
        return None
    _, who = _who(login)
    rows = LoginLock.objects.using(_alias()).filter(who=who, address=address)
    found = rows.filter(locked_until__gt=now or timezone.now()).first()
    return found.locked_until if found else None


def note_failure(login: str, address: str, *, now: datetime | None = None) -> datetime | None:
    """Count a wrong password. Until when the address is locked out, if this was one too many."""
    if not settings.AFN_LOGIN_FAILURES:
        return None
    moment, lasting = now or timezone.now(), timedelta(minutes=settings.AFN_LOGIN_LOCK_MINUTES)
    user, who = _who(login)
    with transaction.atomic(using=_alias()):
        rows = LoginLock.objects.using(_alias())
        rows.filter(failed_at__lt=moment - _KEPT).exclude(locked_until__gt=moment).delete()
        row, _ = rows.get_or_create(who=who, address=address, defaults={"user": user, "failed_at": moment})
        is_over = row.failed_at < moment - lasting or (row.locked_until and row.locked_until <= moment)
        row.failures = 1 if is_over else row.failures + 1
        row.failed_at = moment
        row.locked_until = moment + lasting if row.failures >= settings.AFN_LOGIN_FAILURES else None
        row.save(using=_alias())
    return row.locked_until


def note_success(user: User, address: str) -> None:
    """Whoever got in starts anew from there."""
    rows = LoginLock.objects.using(_alias()).filter(user=user, address=address)
    if rows.exists():  # nearly never, and a login need not write more than its session
        rows.delete()


def unlock(user: User) -> int:
    """Let every address try again; how many were counted or locked."""
    with transaction.atomic(using=_alias()):
        deleted, _ = LoginLock.objects.using(_alias()).filter(user=user).delete()
        unlocked.send(LoginLock, user=user, address="")
    return deleted


def _who(login: str) -> tuple[User | None, str]:
    """The account meant, by name or e-mail, and its hash; where there is none, that of what was typed."""
    user = find_user(login, using=_alias()) if "\0" not in login else None
    text = f"user {user.pk}" if user else f"login {login.casefold()}"
    digest = hmac.new(settings.SECRET_KEY.encode(), text.encode("utf-8", "replace"), "sha256")
    return user, digest.hexdigest()


def _alias() -> str:
    """The primary: a replica may not know yet."""
    return router.db_for_write(LoginLock)
