"""Scores that clients of Langfuse send: checked one by one, kept by their ids."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from pydantic import TypeAdapter, ValidationError

from vectors.rows import in_batches

from ..errors import RegistryProblem
from ..models import TraceScore, User
from ..models.base import new_id
from . import projects
from .moments import as_text
from .schemas import Moment
from .score_schemas import MAX_BATCH, DataType, ScoreIn, ScoresQuery, ScoresV3Query

_BATCH, _BATCH_LENGTH = 500, 1_000_000  # rows and characters that one statement writes
_GIVEN: Final = (
    "trace_id", "observation_id", "session_id", "dataset_run_id", "name", "data_type", "value",
    "string_value", "comment", "environment", "config_id", "metadata", "timestamp",
)  # fmt: skip
_FIELDS: Final = ("details", "subject", "annotation")
_cursor: Final = TypeAdapter(tuple[Moment, str])


@dataclass(frozen=True, slots=True)
class Result:
    """Of one score: its id, or what is wrong with it."""

    id: str
    problem: str = ""


def keep(given: Sequence[Any], *, user: User, now: datetime | None = None) -> list[Result]:
    """Store what can be stored, in one transaction; the results are in the order of what is given.

    A score of an id that is there replaces it, where the same user sent that one. Raises
    ``RegistryProblem`` where there are more than can be taken at once.
    """
    if len(given) > MAX_BATCH:
        raise RegistryProblem("scores", f"at most {MAX_BATCH:,} at once", f"{len(given):,}")
    moment = now or timezone.now()
    read = [_read(one, user, moment) for one in given]
    alias = router.db_for_write(TraceScore)
    with transaction.atomic(using=alias):
        scores = {one.pk: one for one in read if isinstance(one, TraceScore)}  # of one id, the last
        foreign = set[str]()
        for ids in _parts(list(scores)):
            others = TraceScore.objects.using(alias).filter(pk__in=ids).exclude(user=user.pk)
            foreign |= set(others.values_list("pk", flat=True))
        sized = ((one, _length(one)) for one in scores.values() if one.pk not in foreign)
        for batch in in_batches(sized, size=_BATCH_LENGTH, count=_BATCH):
            TraceScore.objects.using(alias).bulk_create(
                batch, update_conflicts=True, unique_fields=["id"], update_fields=[*_GIVEN, "updated_at"]
            )
    return [_result(one, foreign) for one in read]


def _read(given: Any, user: User, now: datetime) -> TraceScore | str:
    """The score, or what is wrong with it."""
    try:
        score = ScoreIn.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[:5]
        return "; ".join(_problem(one["loc"], one["msg"]) for one in found)
    text, number = (score.value, None) if isinstance(score.value, str) else ("", score.value)
    return TraceScore(
        id=score.id or new_id(),
        user=user,
        trace_id=score.trace_id or "",
        observation_id=score.observation_id or "",
        session_id=score.session_id or "",
        dataset_run_id=score.dataset_run_id or "",
        name=score.name,
        data_type=score.kind,
        value=number,
        string_value=text,
        comment=score.comment or "",
        environment=score.environment or "default",
        config_id=score.config_id or "",
        metadata=score.metadata,
        timestamp=score.timestamp or now,
        created_at=now,
    )


def _problem(location: tuple[int | str, ...], message: str) -> str:
    # Of a union the branch is named as well; that helps nobody.
    where = str(location[0]) if location else ""
    return f"{where}: {message}" if where else message


def _result(read: TraceScore | str, foreign: set[str]) -> Result:
    if isinstance(read, str):
        return Result("", read)
    if read.pk in foreign:
        return Result(
            read.pk, f"id: Expected an id of your own, got {read.pk!r}, which somebody else has sent"
        )
    return Result(read.pk)


def _length(score: TraceScore) -> int:
    texts = (score.comment, score.string_value, score.trace_id, score.name)
    return 500 + sum(map(len, texts)) + len(json.dumps(score.metadata))


def _parts(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def page(query: ScoresQuery, *, is_mixed: bool) -> dict[str, Any]:
    """A page of scores, the newest first. Values are as they were sent where `is_mixed`, else numbers."""
    rows = _matching(query)
    total = rows.count()
    start = (query.page - 1) * query.limit
    return {
        "data": [as_json(one, is_mixed=is_mixed) for one in rows[start : start + query.limit]],
        "meta": {
            "page": query.page,
            "limit": query.limit,
            "totalItems": total,
            "totalPages": -(-total // query.limit),
        },
    }


def _matching(query: ScoresQuery) -> QuerySet[TraceScore]:
    rows = _between(query.from_timestamp, query.to_timestamp)
    for name in ("name", "trace_id", "session_id", "dataset_run_id", "data_type", "config_id"):
        if (value := getattr(query, name)) is not None:
            rows = rows.filter(**{name: value})
    if query.observation_id is not None:
        rows = rows.filter(observation_id__in=_split(query.observation_id))
    if query.environment:
        rows = rows.filter(environment__in=query.environment)
    if query.score_ids is not None:
        rows = rows.filter(pk__in=_split(query.score_ids))
    return rows


def _between(start: datetime | None, end: datetime | None) -> QuerySet[TraceScore]:
    rows = TraceScore.objects.order_by("-timestamp", "-id")
    if start is not None:
        rows = rows.filter(timestamp__gte=start)
    if end is not None:
        rows = rows.filter(timestamp__lt=end)
    return rows


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def page_v3(query: ScoresV3Query) -> dict[str, Any]:
    """The same as clients of version 5 read it, which go from page to page by a cursor."""
    shown = _split(query.fields)
    if strange := [name for name in shown if name not in _FIELDS]:
        raise RegistryProblem("fields", f"some of {', '.join(_FIELDS)}", repr(strange[0][:80]))
    rows = _between(query.from_timestamp, query.to_timestamp)
    for name in ("id", "name", "environment", "config_id", "trace_id", "observation_id", "session_id"):
        if (values := getattr(query, name)) is not None:
            rows = rows.filter(**{f"{name}__in": _split(values)})
    if query.data_type is not None:
        rows = rows.filter(data_type__in=_split(query.data_type.upper()))
    if query.cursor is not None:
        moment, key = _read_cursor(query.cursor)
        rows = rows.filter(Q(timestamp__lt=moment) | Q(timestamp=moment, id__lt=key))
    found = list(rows[: query.limit + 1])
    meta: dict[str, Any] = {"limit": query.limit}
    if len(found) > query.limit:
        meta["cursor"] = _write_cursor(found[query.limit - 1])
    return {"data": [_as_v3(one, shown) for one in found[: query.limit]], "meta": meta}


def _write_cursor(last: TraceScore) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.timestamp.isoformat(), last.pk]).encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, str]:
    try:
        return _cursor.validate_json(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        raise RegistryProblem("cursor", "the cursor of a page before", repr(text[:80])) from None


def as_json(score: TraceScore, *, is_mixed: bool) -> dict[str, Any]:
    text = score.string_value or None
    value: float | str | None = score.value
    if score.data_type == DataType.BOOLEAN:
        text = "True" if score.value else "False"
    elif score.value is None:
        value = text if is_mixed else 0.0
    return {
        **_common(score),
        "value": value,
        "stringValue": text,
        "traceId": score.trace_id or None,
        "observationId": score.observation_id or None,
        "sessionId": score.session_id or None,
        "datasetRunId": score.dataset_run_id or None,
        **_details(score),
        **_annotation(score),
    }


def _as_v3(score: TraceScore, shown: Sequence[str]) -> dict[str, Any]:
    value: Any = score.string_value if score.value is None else score.value
    if score.data_type == DataType.BOOLEAN:
        value = bool(score.value)
    found = {**_common(score), "value": value}
    if "details" in shown:
        found |= _details(score)
    if "subject" in shown:
        found["subject"] = _subject(score)
    if "annotation" in shown:
        found |= _annotation(score)
    return found


def _common(score: TraceScore) -> dict[str, Any]:
    return {
        "id": score.pk,
        "projectId": projects.ID,
        "name": score.name,
        "dataType": score.data_type,
        "source": "API",
        "environment": score.environment,
        "timestamp": as_text(score.timestamp),
        "createdAt": as_text(score.created_at),
        "updatedAt": as_text(score.updated_at),
    }


def _details(score: TraceScore) -> dict[str, Any]:
    return {
        "comment": score.comment or None,
        "configId": score.config_id or None,
        "metadata": score.metadata,
    }


def _annotation(score: TraceScore) -> dict[str, Any]:
    return {"authorUserId": score.user_id, "queueId": None}


def _subject(score: TraceScore) -> dict[str, Any]:
    if score.observation_id:
        return {"kind": "observation", "id": score.observation_id, "traceId": score.trace_id}
    if score.trace_id:
        return {"kind": "trace", "id": score.trace_id}
    if score.session_id:
        return {"kind": "session", "id": score.session_id}
    return {"kind": "experiment", "id": score.dataset_run_id}
