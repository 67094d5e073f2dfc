import hashlib
import hmac
import secrets
from contextlib import suppress
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import OperationalError, connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vectors.hits import Rows
from vectors.rows import execute

from .base import Record
from .user import User


class Scope(models.TextChoices):
    READ = "read", _("Read")
    WRITE = "write", _("Write")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def by_secret(self, secret: str) -> "ApiKey | None":
        digest = hash_secret(secret)
        key = self._usable_by("k.secret_hash = %s OR k.previous_hash = %s", [digest, digest])
        return key if key and key.accepts(digest) else None

    def by_pair(self, public_key: str, secret: str) -> "ApiKey | None":
        key = self._usable_by("k.public_key = %s", [public_key])
        # Compared even without a key, so that the time taken does not tell whether it exists.
        is_right = (key or ApiKey(secret_hash=hash_secret(""))).accepts(hash_secret(secret))
        return key if is_right else None

    def _usable_by(self, condition: str, values: list[str]) -> "ApiKey | None":
        """The key with its user, if it may be used.

        Every request of the API asks. The ORM would take five times longer to write this statement than
        libSQL takes to answer it.
        """
        keys, users, select = _with_users(self.db)
        for row in execute(self.db, (f"{select} WHERE {condition}", values)):
            width = len(keys.shown.columns)
            key: ApiKey = next(keys.rows([row[:width]]))
            key.user = next(users.rows([row[width:]]))
            return key if key.is_usable else None
        return None


def new_secret() -> str:
    return f"sk-afn-{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """SHA-256 is enough for a secret that is itself 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


@cache
def _with_users(alias: str) -> tuple[Rows, Rows, str]:
    """How rows of keys and of users are read, and the statement that gives the columns of both."""
    keys, users = Rows(ApiKey, alias, name="k"), Rows(User, alias, name="u")
    columns = ", ".join([*keys.shown.columns, *users.shown.columns])
    tables = f"{ApiKey._meta.db_table} AS k JOIN {User._meta.db_table} AS u ON u.id = k.user_id"
    return keys, users, f"SELECT {columns} FROM {tables}"  # noqa: S608 - names of the models


class ApiKey(Record):
    """Lets an application call the API for a user. The secret is shown once and stored as a hash."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="api_keys",
        help_text=_("The key acts for this user and stops working when the account is closed."),
    )
    name = models.CharField(
        _("name"), max_length=255, help_text=_("Who uses it, to know what stops when it is revoked.")
    )
    public_key = models.CharField(_("public key"), max_length=64, unique=True, editable=False)
    secret_hash = models.CharField(_("secret hash"), max_length=64, unique=True, editable=False)
    previous_hash = models.CharField(
        _("previous hash"),
        max_length=64,
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text=_("Of the secret before the last rotation."),
    )
    previous_until = models.DateTimeField(
        _("previous until"), null=True, editable=False, help_text=_("Until when that secret works as well.")
    )
    scopes = models.JSONField(
        _("scopes"), default=list, help_text=_("Read: get and search prompts. Write: change them too.")
    )
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)
    expires_at = models.DateTimeField(
        _("expires at"),
        null=True,
        blank=True,
        help_text=_("From then on it is refused. Left empty: it works until it is revoked."),
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        verbose_name_plural = _("API keys")
        verbose_name = _("API key")
        ordering = ["name"]
        permissions = [("manage_others_keys", "May manage API keys of others")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(
        cls, user: User, name: str, scopes: list[str], expires_at: datetime | None = None
    ) -> tuple["ApiKey", str]:
        """Make a key; the second part of the answer is its secret, which is kept nowhere."""
        secret = new_secret()
        key = cls.objects.create(
            user=user,
            name=name,
            scopes=sorted(set(scopes)),
            public_key=f"pk-afn-{secrets.token_hex(12)}",
            secret_hash=hash_secret(secret),
            expires_at=expires_at,
        )
        return key, secret

    def accepts(self, digest: str) -> bool:
        """Is this the hash of its secret, or of the one before while that still counts?"""
        is_current = hmac.compare_digest(digest, self.secret_hash)
        is_previous = hmac.compare_digest(digest, self.previous_hash or "")
        counts = self.previous_until is not None and timezone.now() < self.previous_until
        return is_current or (is_previous and counts)

    @property
    def is_usable(self) -> bool:
        """Is it neither revoked nor expired, and its user active?"""
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.user.is_active and self.revoked_at is None and not is_over

    @property
    def state(self) -> str:
        """``works``, ``revoked`` or ``expired``; whether its user is active does not show here."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "works"

    def allows(self, scope: str) -> bool:
        return scope in self.scopes

    def touch(self) -> None:
        """Note the use, at most once a minute and only if nobody is writing: reading must not wait."""
        now = timezone.now()
        if self.last_used_at and (now - self.last_used_at).total_seconds() < 60:
            return
        with suppress(OperationalError), connection.lock_timeout(0.0):  # type: ignore[attr-defined]
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)
            self.last_used_at = now
