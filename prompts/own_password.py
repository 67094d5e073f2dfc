"""Asking somebody who is logged in for the password once more, before what hurts.

Who sits at a computer that somebody left must not guess there without end: wrong ones count as at the login.
"""

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import limiting, login_locks
from .models import User


class WrongPassword(Exception):
    """The text says what is wrong, and what to do."""


def check_own_password(request: HttpRequest, password: str) -> None:
    """Raises ``WrongPassword``."""
    user = request.user
    if not isinstance(user, User):
        raise WrongPassword(_("Log in first."))
    if not user.has_usable_password():
        raise WrongPassword(
            _("Your account has no password. Set one by “Change password”, or use the command line.")
        )
    address, login = limiting.address_of(request), user.get_username()
    try:
        limiting.check_wrong_credentials(request)
    except limiting.TooMany as error:
        raise WrongPassword(_locked(error.wait)) from error
    if until := login_locks.locked_until(login, address):
        raise WrongPassword(_locked((until - timezone.now()).total_seconds()))
    if not password:
        raise WrongPassword(_("Password: expected your own, got nothing."))
    if not user.check_password(password):
        limiting.note_wrong_credentials(request)
        if until := login_locks.note_failure(login, address):
            raise WrongPassword(_locked((until - timezone.now()).total_seconds()))
        raise WrongPassword(_("Password: expected your own, got another one."))
    login_locks.note_success(user, address)


def _locked(seconds: float) -> str:
    minutes = max(1, -(-int(seconds) // 60))
    return ngettext(
        "Too many wrong passwords from your address. Try again in %(count)s minute.",
        "Too many wrong passwords from your address. Try again in %(count)s minutes.",
        minutes,
    ) % {"count": minutes}
