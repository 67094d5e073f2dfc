"""The vector store: a vector that it holds finds itself, by the same search that requests are answered by."""

import math
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop as _

from ops.health.database import EAST, HALF
from ops.health.states import Finding, Sample, Status, sample
from ops.said import say
from prompts.indexing import COLLECTION
from vectors import store
from vectors.models import Collection
from vectors.relevance.models import EvaluationRun
from vectors.search import search

_NEAR: Final = 1e-3
_NOTHING: Final = _("computes distances; nothing is indexed yet")


def probe() -> Finding:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(f"SELECT vector_distance_cos({EAST}, {HALF})")
        (distance,) = cursor.fetchone()
    if not math.isclose(distance, 0.5, abs_tol=1e-5):
        return Finding(Status.DOWN, say(_("the database computes a wrong distance")))
    collection = Collection.objects.filter(name=COLLECTION).first()
    if collection is None:
        return Finding(Status.OK, say(_NOTHING))
    ids, vectors = next(store.iterate_vectors(collection, batch=1), (None, None))
    if ids is None or vectors is None:
        return Finding(Status.OK, say(_NOTHING))
    found = search(collection, vector=vectors[0], k=1, mode="semantic", parts=())
    # Another one with the same vector may come first: it is as near.
    nearest = found.hits[0].distance if found.hits else None
    samples = _recall(collection)
    if nearest is None or nearest > _NEAR:
        return Finding(Status.DOWN, say(_("a vector does not find itself")), nearest, samples)
    detail = say(_("a vector finds itself in %(milliseconds)s ms"), milliseconds=f"{found.took_ms:.1f}")
    return Finding(Status.OK, detail, found.took_ms / 1_000, samples)


def _recall(collection: Collection) -> list[Sample]:
    """As measured last, by mode; `evaluate_search` measures."""
    found: dict[str, Sample] = {}
    for run in EvaluationRun.objects.filter(collection=collection).defer("scores").order_by("-pk")[:10]:
        name = next((name for name in run.metrics if name.startswith("recall@")), None)
        if name is not None and run.mode not in found:
            found[run.mode] = sample("afn_recall", run.metrics[name]["mean"], mode=run.mode)
    return list(found.values())
