"""Who listens: what that is for, and when it is over."""

import asyncio
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.models import IdempotencyKey
from ops.realtime import callers, tickets
from ops.realtime.history import History
from ops.realtime.hub import Client, Hub, TooManyClients
from ops.realtime.kinds import Filter
from prompts import keys
from prompts.models import ApiKey, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.org")


def key_of(user: User, *scopes: str) -> ApiKey:
    return ApiKey.issue(user, "test", list(scopes))[0]


def test_a_key_hears_what_its_scopes_and_its_user_allow(ada: User) -> None:
    ada.user_permissions.add(Permission.objects.get(codename="view_job"))
    ada = User.objects.get(pk=ada.pk)
    assert callers.of_user(ada, key_of(ada, "read")).permissions == {""}
    assert callers.of_user(ada, key_of(ada, "write")).permissions == {"ops.view_job"}
    assert callers.of_user(ada, key_of(ada, "read", "write")).permissions == {"", "ops.view_job"}


def test_a_key_that_is_revoked_is_over(ada: User) -> None:
    key = key_of(ada, "read")
    caller = callers.of_user(ada, key)
    assert callers.look_again(caller) == caller
    keys.revoke_key(key)
    assert callers.look_again(caller) is None


def test_permissions_that_are_taken_away_are_gone(ada: User) -> None:
    permission = Permission.objects.get(codename="view_job")
    ada.user_permissions.add(permission)
    caller = callers.of_user(User.objects.get(pk=ada.pk), key_of(ada, "read", "write"))
    ada.user_permissions.remove(permission)
    again = callers.look_again(caller)
    assert again is not None
    assert again.permissions == {""}


def test_a_session_ends_with_its_log_out_and_with_its_account(ada: User) -> None:
    browser = Browser()
    browser.force_login(ada)
    key = str(browser.session.session_key)
    caller = callers.of_session(key)
    assert caller is not None
    assert key not in repr(caller)
    ada.is_active = False
    ada.save()
    assert callers.look_again(caller) is None
    ada.is_active = True
    ada.save()
    assert callers.look_again(caller) is not None
    SessionStore(key).delete()
    assert callers.look_again(caller) is None


def test_what_cannot_be_looked_at_again_ends_after_a_while(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = callers.of_user(ada)
    again = callers.look_again(caller)
    assert again is not None
    assert again.until == caller.until  # it is not put off
    monkeypatch.setattr(callers.time, "monotonic", lambda: caller.until + 1)
    assert callers.look_again(caller) is None


def test_a_ticket_is_for_its_key_and_counts_once(ada: User) -> None:
    key = key_of(ada, "read")
    ticket = tickets.issue(ada, key)
    caller = tickets.redeem(ticket)
    assert caller is not None
    assert (caller.user_id, caller.key_id) == (ada.pk, key.pk)
    assert tickets.redeem(ticket) is None
    stored = IdempotencyKey.objects.get()
    assert ticket not in f"{stored.key} {stored.request_hash} {bytes(stored.body)!r}"
    late = tickets.issue(ada, key)
    keys.revoke_key(key)
    assert tickets.redeem(late) is None


def test_a_ticket_is_over_after_half_a_minute(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = tickets.issue(ada, key_of(ada, "read"))
    moment = timezone.now() + timedelta(seconds=tickets.SECONDS + 2)
    monkeypatch.setattr("django.core.signing.time.time", moment.timestamp)
    assert tickets.redeem(ticket) is None


@pytest.mark.parametrize("ticket", ["", "x", "a~b~c", "~" * 500, "ä~1~2", "\0"])
def test_what_is_no_ticket_is_refused(ticket: str) -> None:
    assert tickets.redeem(ticket) is None


def test_connections_are_counted(ada: User, settings: Settings) -> None:
    settings.AFN_REALTIME_CLIENTS, settings.AFN_REALTIME_CLIENTS_PER_USER = 3, 2
    caller = callers.of_user(ada)

    async def connect() -> list[bool]:
        hub = Hub(History())
        first, second = Client(caller, Filter()), Client(caller, Filter())
        hub.enter(first)
        hub.enter(second)
        refused = []
        for one in (caller, callers.Caller("b"), callers.Caller("c")):
            try:
                hub.enter(Client(one, Filter()))
            except TooManyClients as error:
                refused.append(error.is_own)
        hub.leave(first)
        hub.enter(Client(caller, Filter()))
        return refused

    assert asyncio.run(connect()) == [True, False]
