"""What is asked within a process of a place, whose database is that of the place (`looking`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections, connection
from django.db.models import Count
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from ops.jobs.models import Job
from ops.outbox.models import OutboxEvent
from ops.scheduling.models import SchedulerLease
from ops.webhooks.models import Delivery
from ops.webhooks.saving import create_webhook
from prompts import indexing
from prompts.models import ApiKey, Evaluation, Prompt, PromptEmbedding, User
from vectors import store
from vectors.embedders import get_embedder
from vectors.items import text_to_embed
from vectors.upkeep.verifying import verify

from . import provider

USER: Final = "faults"
# The least cosine of a stored vector with the right one: they are stored as float32.
_SAME: Final = 0.9999


def serve() -> None:
    """Answer questions, a line of JSON each, until there are no more."""
    for line in sys.stdin:
        what, arguments = json.loads(line)
        close_old_connections()
        try:
            answer = {"value": _ASKED[what](**arguments)}
        except Exception as error:  # noqa: BLE001 - who asked is told, and may ask again
            answer = {"error": f"{type(error).__name__}: {error}"}
            connection.close()
        print(json.dumps(answer), flush=True)  # noqa: T201


def where() -> dict[str, str]:
    """What the settings of this process name, which also read a file `.env`."""
    return {"database": str(settings.DATABASES["default"]["NAME"]), "redis": settings.REDIS_URL}


def set_up(password: str) -> str:
    """Tables, a superuser, the collection; the secret of a key that may do everything."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_superuser(USER, "faults@example.org", password)
    indexing.get_collection()
    return ApiKey.issue(user, "faults", ["read", "write"])[1]


def rows() -> dict[str, Any]:
    """What is stored of what writers write, and whether the database is whole."""
    counted = Prompt.objects.annotate(count=Count("versions")).values_list("name", "count", "version")
    prompts = list(counted)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        integrity = [row[0] for row in cursor.fetchall()]
        cursor.execute("PRAGMA foreign_key_check")
        integrity += [f"reference of {row[0]}" for row in cursor.fetchall()]
    return {
        "stored": [
            *(f"prompt {name}" for name, _, _ in prompts),
            *(f"evaluation {item}" for item in Evaluation.objects.values_list("item", flat=True)),
        ],
        "torn": [name for name, count, version in prompts if count != version],
        "integrity": "ok" if integrity == ["ok"] else "; ".join(integrity[:5]),
    }


def embeddings() -> dict[str, Any]:
    """Of each prompt: is its current version in the index, once, and by the vector that it should have?"""
    collection = indexing.get_collection()
    prompts = {prompt.pk: prompt for prompt in Prompt.objects.all()}
    vectors = store.vectors_by_key(collection, list(prompts))
    right = _right_vectors({key: prompts[key] for key in vectors})
    wrong = [prompts[key].name for key, vector in vectors.items() if not _is_same(vector, right[key])]
    records = PromptEmbedding.objects.filter(collection=collection).values_list(
        "prompt_id", "version__version"
    )
    current = {key for key, version in records if key in prompts and prompts[key].version == version}
    keys = [item.key for item in store.iterate(collection)]
    return {
        "prompts": len(prompts),
        "waiting": len(prompts.keys() - (current & vectors.keys())),
        # Those that wait have the vector of an older version, which is as it should be.
        "wrong": sorted(set(wrong) & {prompts[key].name for key in current}),
        "doubled": len(keys) - len(set(keys)),
        "not_finite": sum(not np.isfinite(vector).all() for vector in vectors.values()),
        "findings": [finding.check for finding in verify(collection).findings],
    }


def add_webhook(url: str) -> None:
    create_webhook({"name": "faults", "url": url}, actor=User.objects.get(username=USER))


def events() -> dict[str, Any]:
    """What the outbox holds for the webhook, and how far it is told."""
    made = OutboxEvent.objects.filter(kind="prompt.created").values_list("prompt_id", flat=True)
    return {
        "ids": [str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)],
        "waiting": OutboxEvent.objects.filter(relayed_at=None).count()
        + Delivery.objects.exclude(status="delivered").count(),
        "prompts_told_once": len(made) == len(set(made)) == Prompt.objects.count(),
    }


def each_second() -> None:
    """No schedule but one, which starts a job at each second."""
    PeriodicTask.objects.all().delete()
    every = IntervalSchedule.objects.create(every=1, period="seconds")
    PeriodicTask.objects.create(
        name="Each second", interval=every, task="ops.tasks.start_job", kwargs='{"kind": "clean_up"}'
    )


def jobs() -> dict[str, Any]:
    """Of each second: the jobs, those that share a slot, and how close two of them are."""
    found = list(Job.objects.order_by("created_at").values_list("slot", "created_at"))
    slots, moments = [slot for slot, _ in found], [moment for _, moment in found]
    gaps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    return {
        "count": len(found),
        "doubled": len(slots) - len(set(slots)),
        "least_gap_seconds": min(gaps, default=None),
        "failed": Job.objects.filter(state="failed").count(),
    }


def holder() -> int | None:
    """The process that follows the schedules."""
    lease = SchedulerLease.objects.first()
    return int(lease.holder.split()[1]) if lease else None


def _right_vectors(prompts: dict[str, Prompt]) -> dict[str, Any]:
    """By the embedder itself; where that is the one that fails, by what it should have said."""
    texts = [text_to_embed(prompt.title, prompt.text) for prompt in prompts.values()]
    if not texts:
        return {}
    if settings.AFN_EMBEDDER == "openai":
        vectors = [provider.vector_of(text) for text in texts]
    else:
        vectors = list(get_embedder().embed(texts))
    return dict(zip(prompts, vectors, strict=True))


def _is_same(found: Any, right: Any) -> bool:
    lengths = np.linalg.norm(found) * np.linalg.norm(right)
    return found.shape == right.shape and bool(lengths) and bool(np.dot(found, right) / lengths > _SAME)


_ASKED: Final[dict[str, Callable[..., Any]]] = {
    one.__name__: one
    for one in (where, set_up, rows, embeddings, add_webhook, events, each_second, jobs, holder)
}
