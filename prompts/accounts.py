"""Finding and making the people that commands act for."""

import secrets

from django.contrib.auth.models import Group
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, transaction

from .auth import find_user
from .models import User
from .roles import ROLES, update_roles


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


def create_user(username: str, email: str, role: str) -> tuple[User, str]:
    """A user in the group of that role who may open the console, and the password, which is kept nowhere.

    Raises ``CommandError`` where the name or the address cannot be had.
    """
    password = secrets.token_urlsafe(12)
    user = User(username=username, email=User.objects.normalize_email(email), is_staff=True)
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        problems = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError(" ".join(one.removeprefix(f"{NON_FIELD_ERRORS}: ") for one in problems)) from error
    with transaction.atomic():
        update_roles(DEFAULT_DB_ALIAS)  # also where they were made before AFN had roles
        user.save()
        user.groups.add(Group.objects.get(name=ROLES[role]))
    return user, password
