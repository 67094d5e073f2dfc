"""Batches of events, as clients up to version 4 send them: scores are kept, all else is counted."""

from typing import Any, Final

from ..errors import RegistryProblem
from ..models import User
from . import scores
from .counts import count_dropped
from .score_schemas import MAX_BATCH

_SCORE: Final = "score-create"


def ingest(batch: Any, *, user: User) -> dict[str, Any]:
    """What became of each event. Raises ``RegistryProblem`` where it is no batch."""
    if not isinstance(batch, list):
        raise RegistryProblem("batch", "a list of events", type(batch).__name__)
    if len(batch) > MAX_BATCH:
        raise RegistryProblem("batch", f"at most {MAX_BATCH:,} events", f"{len(batch):,}")
    successes: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    found: list[tuple[str, Any]] = []
    for event in batch:
        if not _is_event(event):
            errors.append(_failure(event, "Expected an event with id, type and body"))
        elif event["type"] == _SCORE:
            found.append((event["id"], _body(event)))
        else:
            successes.append({"id": event["id"], "status": 201})
    count_dropped("event", len(successes))
    results = scores.keep([body for _, body in found], user=user)
    for (key, _), result in zip(found, results, strict=True):
        if result.problem:
            errors.append(_failure({"id": key}, result.problem))
        else:
            successes.append({"id": key, "status": 201})
    return {"successes": successes, "errors": errors}


def _is_event(event: Any) -> bool:
    if not isinstance(event, dict):
        return False
    return all(isinstance(event.get(name), str) for name in ("id", "type")) and "body" in event


def _body(event: dict[str, Any]) -> Any:
    """The score, which was given when the event happened."""
    body = event["body"]
    return {"timestamp": event.get("timestamp"), **body} if isinstance(body, dict) else body


def _failure(event: Any, problem: str) -> dict[str, Any]:
    key = event.get("id") if isinstance(event, dict) else None
    name = key if isinstance(key, str) else ""
    return {"id": name, "status": 400, "message": problem, "error": "InvalidRequestError"}
