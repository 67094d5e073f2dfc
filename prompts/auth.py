"""Logging in with the user name or the e-mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from .models import User


def find_user(login: str) -> User | None:
    """The user of that name or e-mail. A name may look like somebody else's address: the name comes first."""
    return User.objects.filter(username=login).first() or User.objects.filter(email__iexact=login).first()


class UsernameOrEmailBackend(ModelBackend):
    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        login = username or kwargs.get("email")
        if not login or password is None:
            return None
        user = find_user(login)
        if user is None:
            User().set_password(password)  # takes as long as checking one, so time does not tell who exists
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
