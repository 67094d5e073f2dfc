from typing import Any

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from ..validators import validate_metadata
from .base import ChangingRecord, RandomHex, new_id


class User(AbstractBaseUser, PermissionsMixin, ChangingRecord):
    """A person who writes prompts. ``clerk_id`` links to an outside identity provider, where there is one."""

    # "!" can never be logged in with
    password = models.CharField(_("password"), max_length=128, db_default="!")
    last_login = models.DateTimeField(_("last login"), null=True, blank=True)
    is_superuser = models.BooleanField(
        _("is superuser"),
        default=False,
        db_default=False,
        help_text=_("May do everything, without being given each permission. For operators only."),
    )
    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        default=new_id,
        db_default=RandomHex(),
        validators=[UnicodeUsernameValidator()],
        help_text=_("Letters, digits and @ . + - _ only, 150 characters at most."),
    )
    email = models.EmailField(_("email"), unique=True, help_text=_("Also works for logging in."))
    clerk_id = models.CharField(
        _("Clerk ID"),
        max_length=255,
        unique=True,
        null=True,
        blank=True,
        help_text=_("The account's id at Clerk, such as user_2x…, for logins from there. Empty: none."),
    )
    is_active = models.BooleanField(
        _("is active"),
        default=True,
        db_default=True,
        help_text=_("Take this off instead of deleting an account."),
    )
    is_staff = models.BooleanField(
        _("is staff"), default=False, db_default=False, help_text=_("May open the console.")
    )
    date_joined = models.DateTimeField(_("date joined"), db_default=Now(), editable=False)
    metadata = models.JSONField(
        _("metadata"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_("A JSON object of your own, such as a team or a cost centre. AFN does not read it."),
    )

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        db_table = "users"
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]
        constraints = [
            # Logging in with the address ignores case, so two people may not differ in it alone.
            models.UniqueConstraint(
                Lower("email"),
                name="users_email_is_unique_in_any_case",
                violation_error_message="Expected an e-mail address that no other user has, in any case.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A form without one leaves "", which only a single user could have.
        self.clerk_id = self.clerk_id or None
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.username

    def get_short_name(self) -> str:
        return self.username
