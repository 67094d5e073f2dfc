"""Logging in with the user name or the e-mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q

from .models import User


def find_user(login: str, *, using: str | None = None) -> User | None:
    """The user of that name or e-mail. A name may look like somebody else's address: the name comes first."""
    users = User.objects.using(using)
    return users.filter(username=login).first() or users.filter(email__iexact=login).first()


class UsernameOrEmailBackend(ModelBackend):
    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        login = username or kwargs.get("email")
        if not login or password is None:
            return None
        # Both may exist: nobody can lock another out by taking that one's address for a name.
        candidates = User.objects.filter(Q(username=login) | Q(email__iexact=login))[:2]
        if not candidates:
            User().set_password(password)  # takes as long as checking one, so time does not tell who exists
        return next(
            (
                user
                for user in candidates
                if user.check_password(password) and self.user_can_authenticate(user)
            ),
            None,
        )
