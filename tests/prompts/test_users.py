"""People: who they are in the database, and how they log in."""

import re

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from prompts.accounts import ensure_superuser, find_author, samples_author
from prompts.models import User

pytestmark = pytest.mark.django_db


def test_createsuperuser_works_without_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse")
    names = {"username": "root", "email": "root@Example.com"}
    call_command("createsuperuser", interactive=False, verbosity=0, **names)
    user = User.objects.get()
    assert re.fullmatch(r"[0-9a-f]{32}", user.pk)
    assert (user.is_superuser, user.is_staff, user.email) == (True, True, "root@example.com")
    assert authenticate(username="root", password="correct horse") == user


def test_createsuperuser_without_a_password_makes_one_that_cannot_log_in() -> None:
    call_command("createsuperuser", interactive=False, verbosity=0, username="root", email="r@example.com")
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize("login", ["aoi", "aoi@example.com", "AOI@EXAMPLE.COM"])
def test_people_log_in_by_name_or_address(user: User, login: str) -> None:
    assert authenticate(username=login, password="correct horse") == user
    assert authenticate(username=login, password="wrong horse") is None


@pytest.mark.parametrize(
    ("login", "password"), [("AOI", "correct horse"), ("", "correct horse"), ("aoi", None)]
)
def test_nothing_else_logs_in(user: User, login: str, password: str | None) -> None:
    assert authenticate(username=login, password=password) is None


def test_a_pattern_is_no_address(user: User) -> None:
    assert authenticate(username="%@example.com", password="correct horse") is None
    assert authenticate(username="ao_@example.com", password="correct horse") is None


def test_an_inactive_user_cannot_log_in(user: User) -> None:
    user.is_active = False
    user.save()
    assert authenticate(username="aoi", password="correct horse") is None


def test_a_name_that_is_somebody_elses_address_locks_nobody_out(user: User) -> None:
    imposter = User.objects.create_user("aoi@example.com", "imposter@example.com", "battery staple")
    assert authenticate(username="aoi@example.com", password="battery staple") == imposter
    assert authenticate(username="aoi@example.com", password="correct horse") == user
    assert authenticate(username="aoi@example.com", password="neither") is None
    assert find_author("aoi@example.com") == imposter


def test_addresses_that_differ_in_case_alone_are_one(user: User) -> None:
    twin = User(username="twin", email="AOI@example.com")
    with pytest.raises(ValidationError, match="no other user has"):
        twin.full_clean(exclude=["password"])
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


def test_an_empty_clerk_id_is_none() -> None:
    for name in ("a", "b"):
        User.objects.create(username=name, email=f"{name}@example.com", clerk_id="")
    assert set(User.objects.values_list("clerk_id", flat=True)) == {None}


def test_the_author_is_named_or_the_first_superuser(user: User) -> None:
    other = User.objects.create_user("other", "other@example.com")
    User.objects.create_superuser("aaa", "aaa@example.com")
    assert find_author(None) == user
    assert find_author("other") == find_author("Other@example.com") == other
    with pytest.raises(CommandError, match="--user: expected the name or e-mail of a user, got 'nobody'"):
        find_author("nobody")


def test_without_a_superuser_an_author_must_be_named() -> None:
    with pytest.raises(CommandError, match="createsuperuser"):
        find_author(None)


def test_a_superuser_is_made_once_with_a_password_that_works() -> None:
    user, password = ensure_superuser("admin", "admin@example.com")
    assert authenticate(username="admin", password=password) == user
    assert ensure_superuser("other", "other@example.com") == (user, "")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "email"),
    [("taken", "new@example.com"), ("new", "TAKEN@example.com"), ("a b", "c@example.com"), ("new", "x")],
)
def test_a_superuser_that_cannot_be_made_is_an_error_of_one_line(name: str, email: str) -> None:
    User.objects.create_user("taken", "taken@example.com")
    with pytest.raises(CommandError, match="--username, --email: "):
        ensure_superuser(name, email)


def test_samples_belong_to_the_superuser_or_to_nobody_who_can_log_in() -> None:
    author = samples_author()
    assert not author.has_usable_password()
    assert samples_author() == author
    root = User.objects.create_superuser("root", "root@example.com", "correct horse")
    assert samples_author() == root


def test_a_person_called_samples_does_not_stop_the_samples() -> None:
    person = User.objects.create_user("samples", "sam@example.com")
    assert samples_author() == person
