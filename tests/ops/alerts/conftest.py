"""Rules and channels, receivers on loopback that may be called, and a mail server that keeps what it gets."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from ops.alerts import saving
from ops.alerts.evaluating import Evaluated, evaluate
from ops.alerts.models import AlertChannel, AlertRule
from tests.ops.webhooks.receiver import Receiver, receiving

from .mailbox import Mailbox, mail_server

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Rule = Callable[..., AlertRule]
Channel = Callable[..., AlertChannel]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def see(value: float | None, seconds: float = 0) -> Evaluated:
    """One look at the processors, so many seconds after the start."""
    return evaluate(at(seconds), {"cpu_percent": value})


@pytest.fixture
def rule(db: None) -> Rule:
    """The only rule, unless more are made."""
    AlertRule.objects.all().delete()

    def make(name: str = "busy", **values: Any) -> AlertRule:
        made = AlertRule(name=name, metric="cpu_percent", threshold=80, clear=70)
        for field, value in values.items():
            setattr(made, field, value)
        saving.save_rule(made, [])
        return made

    return make


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.AFN_OUTGOING_ALLOWED = [server.host]
        yield server


@pytest.fixture
def channel(receiver: Receiver, db: None) -> Channel:
    def make(name: str = "team", kind: str = "webhook", **values: Any) -> AlertChannel:
        address = {} if kind == "email" else {"url": f"{receiver.url}/canary-{name}"}
        return saving.save_channel(AlertChannel(), {"name": name, "kind": kind, **address, **values})

    return make


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "AFN <afn@example.org>"
        yield server
