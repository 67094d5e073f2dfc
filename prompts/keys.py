"""Making, rotating and revoking API keys, within what whoever asks may do himself.

Who asks with a key gets no more out of it than that key has: no further scope, and no later end.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import router, transaction
from django.utils import timezone

from .errors import NotThere, Protected, Refused, RegistryProblem
from .models import ApiKey, Scope, User
from .models.api_key import hash_secret, new_secret

MANAGE_OTHERS: Final = "prompts.manage_others_keys"
MAX_OVERLAP: Final = timedelta(days=7)
MAX_NAME: Final = 255


def issue_key(
    actor: User,
    holder: User,
    name: str,
    scopes: list[str],
    *,
    expires_at: datetime | None = None,
    by: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """A key for `holder` and its secret, which is kept nowhere; `by` is the key that `actor` asked with.

    Raises ``RegistryProblem`` for a wrong value, ``Protected`` for more than `actor` may give.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise RegistryProblem("name", f"1 to {MAX_NAME} printable characters", repr(name[:80]))
    if not scopes or not set(scopes) <= set(Scope.values):
        raise RegistryProblem("scopes", f"some of {', '.join(Scope.values)}", repr(scopes)[:80])
    if expires_at is not None and expires_at <= timezone.now():
        raise RegistryProblem("expires_at", "a moment to come", expires_at.isoformat())
    check_holder(actor, holder)
    _check_caller(by, scopes, expires_at)
    return ApiKey.issue(holder, name, scopes, expires_at)


def rotate_key(key: ApiKey, *, overlap: timedelta, by: ApiKey | None = None) -> str:
    """A new secret, which counts at once; the old one goes on to count for `overlap`, up to 7 days or not at
    all. A secret before that ends now.

    Raises ``Refused`` for a key that is over, ``Protected`` for one that has more than `by`, the key that was
    asked with.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise RegistryProblem("overlap", "none to 7 days", str(overlap))
    secret = new_secret()
    alias = router.db_for_write(ApiKey)
    with transaction.atomic(using=alias):  # of two at once, the second sees what the first wrote
        stored = ApiKey.objects.using(alias).select_related("user").get(pk=key.pk)
        if not stored.is_usable:
            raise Refused(
                "key", "a key that works", "one that is revoked or expired, or whose user is not active"
            )
        _check_caller(by, stored.scopes, stored.expires_at)
        stored.previous_hash = stored.secret_hash if overlap else None
        stored.previous_until = timezone.now() + overlap if overlap else None
        stored.secret_hash = hash_secret(secret)
        stored.save(update_fields=["previous_hash", "previous_until", "secret_hash"])
    key.refresh_from_db()
    return secret


def revoke_key(key: ApiKey) -> None:
    """Have it work no longer, with none of its secrets. Doing it again changes nothing."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


def find_key(actor: User, key_id: str) -> ApiKey:
    """A key of one's own, or of others with the permission. Raises ``NotThere``, ``Protected``."""
    key = ApiKey.objects.select_related("user").filter(pk=key_id).first()
    if key is None or (key.user_id != actor.pk and not actor.has_perm(MANAGE_OTHERS)):
        raise NotThere("id", "the id of a key of yours", repr(key_id[:64]))
    check_holder(actor, key.user)
    return key


def check_holder(actor: User, holder: User) -> None:
    """Raises ``Protected`` unless `actor` may have keys of `holder`: a key does all that its user may."""
    if holder.pk == actor.pk or actor.is_superuser:
        return
    if not actor.has_perm(MANAGE_OTHERS):
        raise Protected("user", f"yourself, or the permission {MANAGE_OTHERS}", "another user")
    if holder.is_superuser or not holder.get_all_permissions() <= actor.get_all_permissions():
        raise Protected("user", "a user who may no more than you", f"{holder.username}, who may more")


def _check_caller(by: ApiKey | None, scopes: list[str], expires_at: datetime | None) -> None:
    if by is None:
        return
    if more := sorted(set(scopes) - set(by.scopes)):
        raise Protected(
            "scopes", f"only scopes of the key that asks: {', '.join(by.scopes)}", ", ".join(more)
        )
    if by.expires_at is not None and (expires_at is None or expires_at > by.expires_at):
        end = by.expires_at.isoformat()
        raise Protected(
            "expires_at", f"an end no later than that of the key that asks, {end}", str(expires_at)
        )
