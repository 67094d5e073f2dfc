"""The kinds of jobs about a collection's quality. Each calls the function that its command calls."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final

from django.db import DEFAULT_DB_ALIAS, OperationalError
from pydantic import Field

from vectors.duplicates.finding import Duplicates, Group, find_duplicates
from vectors.errors import EmbedderError, IndexBusy
from vectors.migrating import changing, verdict
from vectors.projection_cache import keep
from vectors.relevance.measuring import Options, modes_of
from vectors.relevance.queries import open_queries
from vectors.relevance.runs import evaluate_queries
from vectors.upkeep import tuning

from .registry import job
from .run import Run
from .running import MAX_RESULT

# Of a group so many members are kept, fewer where their keys are long.
_MEMBERS: Final = (20, 5, 1)
_TITLE: Final = 120


@job(
    "tune_vectors",
    title="Measure recall and latency",
    max_attempts=3,
    retry_on=(EmbedderError, IndexBusy, OperationalError),
    alone=("collection",),
)
def tune_vectors(
    run: Run,
    collection: str,
    recall: Annotated[float, Field(gt=0, le=1)] = 0.98,
    k: Annotated[int, Field(ge=1, lt=1_000)] = 10,
    judged: bool = False,
) -> dict[str, Any]:
    """Try strategies and settings on a collection, and keep the cheapest that find enough."""
    found = changing.named(collection, using=DEFAULT_DB_ALIAS)
    measured = tuning.tune(
        found,
        target=recall,
        k=k,
        queries=tuning.judged_vectors(found) if judged else None,
        using=DEFAULT_DB_ALIAS,
        progress=lambda done, total: run.progress(done, total, "settings tried"),
    )
    tuning.apply(found, measured, using=DEFAULT_DB_ALIAS)
    return measured.chosen.as_json()


@job(
    "evaluate_search",
    title="Measure the quality of search",
    max_attempts=3,
    lease=timedelta(minutes=10),
    retry_on=(EmbedderError, OperationalError),
    alone=("collection",),
)
def evaluate_search(run: Run, collection: str) -> dict[str, Any]:
    """nDCG, MRR and recall of each mode, kept as runs to compare with."""
    found = changing.named(collection, using=DEFAULT_DB_ALIAS)
    with open_queries(found, using=DEFAULT_DB_ALIAS) as queries:
        reports = evaluate_queries(
            found,
            queries,
            Options(modes_of(found)),
            wrap=lambda judged: run.track(judged, len(judged), "queries searched"),
            using=DEFAULT_DB_ALIAS,
        )
    return {"runs": [report.run.pk for report in reports], "missing_keys": queries.missing_keys}


@job(
    "find_duplicates",
    title="Find near-duplicates",
    max_attempts=3,
    retry_on=(IndexBusy, OperationalError),
    alone=("collection",),
)
def find_near_duplicates(
    run: Run, collection: str, threshold: float | None = None, exact: bool = False
) -> dict[str, Any]:
    """Groups of near-identical items, the largest of them."""
    found = find_duplicates(
        changing.named(collection, using=DEFAULT_DB_ALIAS),
        threshold,
        exact=exact,
        wrap=lambda steps, total: run.track(steps, total, "blocks compared"),
        using=DEFAULT_DB_ALIAS,
    )
    return _fitting(found)


@job(
    "judge_migration",
    title="Compare two embedding models",
    max_attempts=3,
    lease=timedelta(minutes=10),
    retry_on=(EmbedderError, OperationalError),
    alone=("collection",),
)
def judge_migration(run: Run, collection: str) -> dict[str, Any]:
    """The verdict on a migration: relevance, answers, speed and size of both spaces."""
    migration = changing.get(changing.named(collection, using=DEFAULT_DB_ALIAS))
    said = verdict.judge(migration, wrap=lambda judged: run.track(judged, len(judged), "queries searched"))
    return {"advice": said["advice"], "text": said["text"]}


@job(
    "map_items",
    title="Draw a map of a collection",
    max_attempts=2,
    lease=timedelta(minutes=30),  # UMAP tells no progress
    retry_on=(OperationalError,),
    alone=("collection",),
)
def map_items(run: Run, collection: str, method: str = "pca") -> dict[str, Any]:
    """A sample of the items on a plane, kept for the console."""
    made = keep(changing.named(collection, using=DEFAULT_DB_ALIAS), method, using=DEFAULT_DB_ALIAS)
    return {"items": len(made.ids)}


def _fitting(found: Duplicates) -> dict[str, Any]:
    """As a result of a job can be: titles cut, and so many members as there is room for."""
    for members in _MEMBERS:
        groups = [_group(group, members) for group in found.groups]
        result = {**asdict(found), "groups": groups}
        if len(json.dumps(result)) <= MAX_RESULT:
            return result
    return {**result, "groups": groups[: len(groups) // 4]}


def _group(group: Group, members: int) -> dict[str, Any]:
    shown = [group.representative, *group.members[:members]]
    first, *others = ({**asdict(one), "title": one.title[:_TITLE]} for one in shown)
    return {"size": group.size, "representative": first, "members": others}
