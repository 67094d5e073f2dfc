from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm

from .. import limiting, login_locks


class LoginForm(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Expected the user name or e-mail and the password of a staff account. "
            "Both fields may be case-sensitive."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["username"]
        field.label = _("Username or e-mail")
        field.max_length = field.widget.attrs["maxlength"] = 254  # that of an e-mail address

    def clean(self) -> dict[str, Any]:
        """With the right password as well, whoever guessed too often has to wait."""
        login, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not isinstance(self.request, HttpRequest) or not login or not password:
            return super().clean()
        address = limiting.address_of(self.request)
        self._refuse_guessing(login, address)
        try:
            cleaned = super().clean()
        except ValidationError as error:
            if error.code == "invalid_login":
                limiting.note_wrong_credentials(self.request)
                if until := login_locks.note_failure(login, address):
                    raise _locked((until - timezone.now()).total_seconds()) from error
            raise
        login_locks.note_success(self.get_user(), address)
        return cleaned

    def _refuse_guessing(self, login: str, address: str) -> None:
        try:
            limiting.check_wrong_credentials(self.request)
        except limiting.TooMany as error:  # of many names, or wrong keys, from this address
            raise _locked(error.wait) from error
        if until := login_locks.locked_until(login, address):
            raise _locked((until - timezone.now()).total_seconds())


def _locked(seconds: float) -> ValidationError:
    minutes = max(1, -(-int(seconds) // 60))
    told = ngettext(
        "Too many wrong passwords from your address. Try again in %(minutes)s minute, or ask an admin to "
        "unlock your account.",
        "Too many wrong passwords from your address. Try again in %(minutes)s minutes, or ask an admin to "
        "unlock your account.",
        minutes,
    )
    return ValidationError(told % {"minutes": minutes}, code="locked")
