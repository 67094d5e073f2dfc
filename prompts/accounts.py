"""Finding and making the people that commands act for."""

import secrets

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from .auth import find_user
from .models import User


def find_author(login: str | None, *, option: str = "--user", using: str | None = None) -> User:
    """The user of that name or e-mail, or without one the first superuser. Raises ``CommandError``."""
    if login:
        user = find_user(login, using=using)
        if user is None:
            raise CommandError(f"{option}: expected the name or e-mail of a user, got {login[:150]!r}.")
        return user
    user = User.objects.filter(is_superuser=True).order_by("date_joined").first()
    if user is None:
        raise CommandError("There is no superuser yet: run `manage.py createsuperuser`, or name a --user.")
    return user


def samples_author() -> User:
    """Whom the bundled samples belong to: the first superuser, else an account that cannot log in."""
    author = User.objects.filter(is_superuser=True).order_by("date_joined").first()
    if author is None:
        author, _ = User.objects.get_or_create(username="samples", defaults={"email": "samples@localhost"})
    return author


def ensure_superuser(username: str, email: str) -> tuple[User, str]:
    """The first superuser, or a new one; the second part is the new one's password, else empty."""
    if user := User.objects.filter(is_superuser=True).order_by("date_joined").first():
        return user, ""
    try:
        User(username=username, email=email).full_clean(exclude=["password"])
    except ValidationError as error:
        raise CommandError(f"--username, --email: {' '.join(error.messages)}") from error
    password = secrets.token_urlsafe(12)
    return User.objects.create_superuser(username=username, email=email, password=password), password
