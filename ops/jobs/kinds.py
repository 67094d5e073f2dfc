"""The kinds of jobs that AFN has of its own. Each calls the function that its command calls."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final, cast

from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, OperationalError
from django.utils import timezone
from pydantic import Field

from ops.audit.pruning import LEAST, prune
from ops.idempotency import forget_old
from ops.slow_queries import writing as slow_queries
from prompts import indexing, trash
from prompts.errors import NotThere
from prompts.models import Prompt
from vectors.errors import EmbedderError, IndexBusy
from vectors.index.state import read_state
from vectors.index.training import is_due, rebuild
from vectors.migrating import changing
from vectors.migrating.errors import MigrationBusy
from vectors.migrating.estimating import estimate
from vectors.migrating.filling import BATCH, MAX_BATCH, Filling, Pace
from vectors.models import Collection
from vectors.sql import Tables

from .registry import job
from .run import Run

Days = Annotated[float, Field(ge=0, le=36_500)]
AuditDays = Annotated[int, Field(ge=LEAST.days, le=36_500)]
_MAX_REFUSED: Final = 20


@job(
    "rebuild_index",
    title="Build an index",
    max_attempts=3,
    retry_on=(IndexBusy, OperationalError),
    alone=("collection",),
)
def rebuild_index(
    run: Run, collection: str, strategy: str = "", lists: int | None = None, only_if_due: bool = False
) -> dict[str, Any]:
    """Build the index of a collection anew; with `only_if_due` where the collection has outgrown it."""
    found = Collection.objects.using(DEFAULT_DB_ALIAS).filter(name=collection).first()
    if found is None:
        if only_if_due:
            return {"skipped": "The collection is gone."}
        raise NotThere("collection", "the name of a collection", repr(collection[:120]))
    if only_if_due and not is_due(read_state(Tables.of(found), DEFAULT_DB_ALIAS), found.strategy):
        return {"skipped": "The index is up to date."}
    state = rebuild(
        found,
        strategy=strategy or found.strategy,
        lists=lists,
        using=DEFAULT_DB_ALIAS,
        progress=lambda done, total: run.progress(done, total, "rows coded"),
    )
    return {"rows": state.rows, "lists": state.lists, "diskann": state.is_diskann}


@job(
    "migrate_embeddings",
    title="Embed a collection anew",
    max_attempts=5,
    lease=timedelta(minutes=10),
    retry_on=(EmbedderError, MigrationBusy, OperationalError),
    alone=("collection",),
)
def migrate_embeddings(
    run: Run,
    collection: str,
    embedder: str = "",
    model: str = "",
    dimensions: int | None = None,
    rate: float | None = None,
    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)] = BATCH,
) -> dict[str, Any]:
    """Fill the second space of a collection. `embedder` begins it; without it one that was begun goes on."""
    found, pace = changing.named(collection, using=DEFAULT_DB_ALIAS), Pace(batch, rate)
    migration = changing.find(found)
    if embedder and migration is None:
        change = changing.plan(found, embedder, model, dimensions)
        cost = estimate(
            found, None, change.embedder, DEFAULT_DB_ALIAS, batch=pace.batch, rate=rate, price=None
        )
        migration = changing.start(change, cost.as_json())
    elif embedder:
        changing.plan(found, embedder, model, dimensions)  # that it is to the same one
    filling = Filling(migration or changing.get(found), DEFAULT_DB_ALIAS, pace)
    total = len(filling)
    # Closed at once where the job is stopped, so that its lease of the space is free for the next.
    with closing(cast("Generator[str]", filling.rows())) as rows:
        for _ in run.track(rows, total, "texts embedded"):
            pass
    done = filling.done
    refused = dict(list(done.refused.items())[:_MAX_REFUSED])
    return {"written": done.written, "deleted": done.deleted, "missing": done.lacking, "refused": refused}


@job(
    "embed_prompts",
    title="Embed the prompts",
    max_attempts=5,
    lease=timedelta(minutes=10),
    retry_on=(EmbedderError, OperationalError),
    alone=(),
)
def embed_prompts(run: Run, rebuild: bool = False) -> dict[str, Any]:
    """Bring the search index of prompts up to date; with `rebuild` from nothing, by the embedder set now."""
    if rebuild:
        indexing.rebuild_collection()
    total = Prompt.objects.count()
    return asdict(indexing.index_everything(track=lambda prompts: run.track(prompts, total, "prompts read")))


@job("empty_trash", title="Empty the trash", max_attempts=3, retry_on=(OperationalError,), alone=())
def empty_trash(run: Run, days: Days = 30.0) -> dict[str, Any]:
    """Delete for good the prompts and versions that have been in the trash for so many days."""
    return {"prompts": trash.purge(timedelta(days=days))}


@job("prune_audit_log", title="Shorten the audit log", max_attempts=3, retry_on=(OperationalError,), alone=())
def prune_audit_log(run: Run, keep_days: AuditDays) -> dict[str, Any]:
    """Delete lines of the audit log that are older than so many days; that it was done is a line."""
    return {"lines": prune(timedelta(days=keep_days))}


@job("clean_up", title="Clean up", max_attempts=3, retry_on=(OperationalError,), alone=())
def clean_up(run: Run) -> dict[str, Any]:
    """Delete sessions that have expired, answers kept for requests that are sent twice, old slow queries."""
    sessions, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return {"sessions": sessions, "answers": forget_old(), "slow_queries": slow_queries.prune()}
