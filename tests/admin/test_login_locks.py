"""Guessing passwords in the console: after some wrong ones the address has to wait."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from prompts import login_locks
from prompts.limiting import limiter
from prompts.models import LoginLock, User
from tests.admin.conftest import PASSWORD

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def _anew(aoi: User) -> Iterator[None]:
    limiter.clear()
    yield
    limiter.clear()


def log_in(login: str = "aoi", password: str = "wrong", address: str = HERE) -> HttpResponse:
    return Client(REMOTE_ADDR=address).post(reverse("admin:login"), {"username": login, "password": password})


def text(response: Any) -> str:
    return str(response.context["form"].non_field_errors())


def fail(times: int, **values: str) -> list[str]:
    return [text(log_in(**values)) for _ in range(times)]


def test_after_five_wrong_passwords_the_right_one_has_to_wait() -> None:
    told = fail(5)
    assert all("Expected the user name" in one for one in told[:4])
    assert "Try again in 15 minutes, or ask an admin to unlock your account." in told[4]
    client = Client(REMOTE_ADDR=HERE)
    answer = client.post(reverse("admin:login"), {"username": "aoi", "password": PASSWORD})
    assert "Too many wrong passwords" in text(answer)
    assert client.get(reverse("admin:index")).status_code == 302
    LoginLock.objects.update(locked_until=timezone.now())
    assert client.post(reverse("admin:login"), {"username": "aoi", "password": PASSWORD}).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_name_and_address_of_mail_are_one_account() -> None:
    fail(3, login="aoi")
    assert "Too many" in fail(2, login="AOI@example.com")[1]
    assert "Too many" in text(log_in("aoi@example.com", PASSWORD))
    assert LoginLock.objects.get().failures == 5


def test_from_another_address_and_for_another_account_nothing_changes(db: None) -> None:
    User.objects.create_superuser("ben", "ben@example.com", PASSWORD)
    fail(5)
    assert log_in("aoi", PASSWORD, ELSEWHERE).status_code == 302
    assert log_in("ben", PASSWORD).status_code == 302


def test_a_name_that_nobody_has_is_locked_as_well_and_not_kept() -> None:
    told, known = fail(5, login="correct horse typed in the wrong box"), fail(5)
    assert told == known
    row = LoginLock.objects.get(user=None)
    assert "horse" not in str(vars(row))
    assert str(row) == f"an unknown name from {HERE}"


def test_getting_in_starts_anew() -> None:
    for _ in range(3):
        fail(4)
        assert log_in("aoi", PASSWORD).status_code == 302
    assert not LoginLock.objects.exists()


def test_old_mistakes_do_not_count_and_are_forgotten() -> None:
    then = timezone.now() - timedelta(days=2)
    for _ in range(4):
        login_locks.note_failure("aoi", HERE, now=then)
    assert login_locks.note_failure("aoi", ELSEWHERE, now=then + timedelta(minutes=1)) is None
    assert login_locks.note_failure("aoi", HERE, now=then + timedelta(minutes=16)) is None  # the first again
    login_locks.note_failure("aoi", HERE)
    assert LoginLock.objects.get().failures == 1


def test_one_address_that_tries_many_names_has_to_wait(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "_clock", lambda: 6_030.0)
    settings.AFN_WRONG_KEY_LIMIT = "3/min"
    told = [text(log_in(f"name-{number}")) for number in range(5)]
    assert ["Too many" in one for one in told] == [False] * 4 + [True]
    assert "Too many" in text(log_in("aoi", PASSWORD))
    assert log_in("aoi", PASSWORD, ELSEWHERE).status_code == 302


def test_behind_a_proxy_its_clients_are_told_apart(settings: Any) -> None:
    settings.AFN_PROXIES = 1
    form = {"username": "aoi", "password": "wrong"}
    for _ in range(5):
        Client(HTTP_X_FORWARDED_FOR="203.0.113.5").post(reverse("admin:login"), form)
    assert LoginLock.objects.get().address == "203.0.113.5"
    right = {"username": "aoi", "password": PASSWORD}
    assert Client(HTTP_X_FORWARDED_FOR="203.0.113.5").post(reverse("admin:login"), right).status_code == 200
    assert Client(HTTP_X_FORWARDED_FOR="203.0.113.6").post(reverse("admin:login"), right).status_code == 302


def test_it_can_be_turned_off(settings: Any) -> None:
    settings.AFN_LOGIN_FAILURES, settings.AFN_WRONG_KEY_LIMIT = 0, None
    assert not [one for one in fail(10) if "Too many" in one]
    assert not LoginLock.objects.exists()


def test_an_admin_unlocks_in_the_console(admin: Client) -> None:
    fail(5)
    page = admin.get(reverse("admin:prompts_loginlock_changelist"))
    assert "locked" in page.content.decode()
    assert HERE in page.content.decode()
    lock = LoginLock.objects.get()
    form = {"action": "unlock", "_selected_action": [lock.pk]}
    assert admin.post(reverse("admin:prompts_loginlock_changelist"), form).status_code == 302
    assert log_in("aoi", PASSWORD).status_code == 302


def test_a_command_unlocks() -> None:
    fail(5)
    out = io.StringIO()
    call_command("unlock_login", "aoi@example.com", stdout=out)
    assert out.getvalue() == "aoi may log in from everywhere; 1 addresses were counted or locked.\n"
    assert log_in("aoi", PASSWORD).status_code == 302
