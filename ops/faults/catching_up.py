"""What workers owe after a fault: embeddings of all prompts, and all events told. Nobody helps them."""

from __future__ import annotations

import time
from typing import Any, Final

from .local_http import Receiver
from .place import Place
from .processes import wait_for

# The slowest schedule that looks for what was missed comes every minute; a lost claim counts for some more.
SECONDS: Final = 300.0


def wait(place: Place, receiver: Receiver | None = None) -> float | None:
    """Seconds until nothing is owed; None where it still is after five minutes."""
    started = time.monotonic()

    def is_done() -> bool:
        return not place.look("embeddings")["waiting"] and not (receiver and place.look("events")["waiting"])

    return time.monotonic() - started if wait_for(is_done, SECONDS, pause=0.5) else None


def measured(
    found: dict[str, Any], events: dict[str, Any], receiver: Receiver, seconds: float | None
) -> dict[str, Any]:
    return {
        "prompts": found["prompts"],
        "not_embedded": found["waiting"],
        "embedded_wrongly": found["wrong"],
        "embedded_twice": found["doubled"],
        "findings_of_the_index": found["findings"],
        "events": len(events["ids"]),
        "events_never_told": len(set(events["ids"]) - set(receiver.told)),
        # A receiver knows them by their id: "at least once" is what webhooks promise.
        "events_sent_again": sum(count > 1 for count in receiver.told.values()),
        "caught_up_seconds": seconds,
    }


def problems(
    found: dict[str, Any], events: dict[str, Any], receiver: Receiver, seconds: float | None
) -> list[str]:
    missing, strange = set(events["ids"]) - set(receiver.told), set(receiver.told) - set(events["ids"])
    wrong = {
        "prompts are not embedded": found["waiting"],
        f"prompts have a wrong vector, such as {found['wrong'][:3]}": len(found["wrong"]),
        "items stand twice in the index": found["doubled"],
        "events were never told": len(missing),
        "events were told that did not happen": len(strange),
        "events of new prompts are missing or doubled": not events["prompts_told_once"],
        f"the index is not sound: {found['findings'][:3]}": len(found["findings"]),
        "it was not caught up within five minutes": seconds is None,
    }
    return [f"{int(count)} × {text}" for text, count in wrong.items() if count]
