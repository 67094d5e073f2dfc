"""Every event of the registry becomes a row of the outbox, within the transaction that it tells of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.dispatch import receiver
from django.utils import timezone

from prompts.events import Event, happened

from . import starting
from .models import OutboxEvent


@dataclass(slots=True)
class _Commit:
    """Starts the telling once, however many events a transaction has."""

    start: Callable[[], None]
    is_done: bool = False

    def run(self) -> None:
        if not self.is_done:
            self.is_done = True
            self.start()


@receiver(happened, dispatch_uid="outbox")
def record(event: Event, using: str, **_: Any) -> None:
    """Of the database that this site works on; other environments are opened to compare and to merge."""
    if using != DEFAULT_DB_ALIAS:
        return
    OutboxEvent.objects.using(using).create(
        kind=event.kind,
        prompt_id=event.prompt_id,
        prompt_name=event.prompt_name,
        actor_id=event.actor_id,
        data=event.data,
        happened_at=timezone.now(),
    )
    start_on_commit(using)


def start_on_commit(using: str = DEFAULT_DB_ALIAS) -> None:
    """Have told what waits, once this transaction is committed."""
    connection: Any = connections[using]
    commit = getattr(connection, "afn_outbox_commit", None)
    if commit is None or commit.is_done:
        commit = connection.afn_outbox_commit = _Commit(lambda: starting.start())
    # Robust: what is saved is saved, whether or not a broker is there to hear of it.
    transaction.on_commit(commit.run, using=using, robust=True)
