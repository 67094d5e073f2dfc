"""What the registry tells whoever listens, within the transaction that changes it.

A receiver that writes does so in the same transaction, so that it knows of all that was done and of nothing
that was not; one that calls out waits for `transaction.on_commit`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from django.dispatch import Signal

Kind = Literal[
    "prompt.created",
    "prompt.changed",
    "prompt.deleted",
    "prompt.restored",
    "prompt.purged",
    "version.created",
    "version.deleted",
    "version.restored",
    "label.moved",
    "label.removed",
    "split.started",
    "split.ended",
    "evaluation.created",
    "run.finished",
]

# Sent with `event` and `using`.
happened = Signal()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a prompt. ``data`` is JSON and holds neither contents nor secrets."""

    kind: Kind
    prompt_id: str
    prompt_name: str
    actor_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def tell(event: Event, using: str) -> None:
    happened.send(Event, event=event, using=using)
