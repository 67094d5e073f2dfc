"""A receiver that may be called, webhooks to it, and clients with just the permissions they need."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import DEFAULT_DB_ALIAS
from pytest_django.fixtures import Settings

from ops.outbox.models import OutboxEvent
from ops.webhooks import saving
from prompts.events import Event, tell
from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer

from .receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.AFN_OUTGOING_ALLOWED = [server.host]
        yield server


@pytest.fixture
def hook(receiver: Receiver, db: None) -> Callable[..., saving.Issued]:
    def make(name: str = "deploy", **values: Any) -> saving.Issued:
        return saving.create_webhook({"name": name, "url": receiver.url, **values}, actor=None)

    return make


@pytest.fixture
def happen(db: None) -> Callable[..., OutboxEvent]:
    """Have something happen to a prompt; the event as it stands in the outbox."""

    def event(kind: str = "label.moved", name: str = "support/greeting", **data: Any) -> OutboxEvent:
        known = set(OutboxEvent.objects.values_list("pk", flat=True))
        tell(Event(kind, "a" * 32, name, data=data), DEFAULT_DB_ALIAS)  # type: ignore[arg-type]
        return OutboxEvent.objects.exclude(pk__in=known).get()

    return event


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def api(user: User) -> Api:
    """Somebody who may do everything with webhooks and the audit log, and nothing else."""
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="ops"))
    return Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))
