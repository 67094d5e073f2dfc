from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import Record


class LoginLock(Record):
    """Wrong passwords for one account from one address, and until when that address may not try again.

    Who was meant is kept as a hash, for whoever mistypes may put a password where the name belongs; of an
    account that there is, its user stands beside it. Deleting a row unlocks.
    """

    who = models.CharField(_("who"), max_length=64, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        on_delete=models.CASCADE,
        related_name="login_locks",
    )
    address = models.CharField(_("address"), max_length=64)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    failed_at = models.DateTimeField(_("failed at"))
    locked_until = models.DateTimeField(_("locked until"), null=True)

    class Meta:
        db_table = "login_locks"
        verbose_name = _("locked login")
        verbose_name_plural = _("locked logins")
        ordering = ["-failed_at"]
        default_permissions = ("view", "delete")
        constraints = [
            models.UniqueConstraint(fields=["who", "address"], name="login_locks_who_is_unique_by_address"),
        ]
        indexes = [models.Index(fields=["failed_at"], name="login_locks_failed_at")]

    def __str__(self) -> str:
        return f"{self.user or 'an unknown name'} from {self.address}"
