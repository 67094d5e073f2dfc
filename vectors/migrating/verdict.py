"""Is the new space better? Measured before the switch, on the collection itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from copy import copy
from statistics import mean, median
from typing import Any, Final

from django.utils import timezone

from vectors.embedders import for_collection
from vectors.evaluation import Judged
from vectors.migrating import sql
from vectors.migrating.changing import count_lacking, old_and_new
from vectors.migrating.models import EmbeddingMigration
from vectors.models import Collection
from vectors.relevance.intervals import mean_interval
from vectors.relevance.judging import judged_queries
from vectors.relevance.known_items import make_known_items, sample, scratch_copy
from vectors.relevance.measuring import Options, measure
from vectors.relevance.models import QuerySource
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables

K: Final = 10
# Each query is embedded by both embedders, which may cost money; rows of known items are, too.
_MAX_JUDGED: Final = 1_000
_MAX_KNOWN: Final = 500
_MAX_QUERIES: Final = 100
_MAX_QUERY: Final = 200
_MODES: Final = ("hybrid", "semantic")
# A loss that nobody would notice: one point of nDCG.
_POINT: Final = 0.01

Wrap = Callable[[Sequence[Judged]], Iterable[Judged]]


def judge(migration: EmbeddingMigration, *, wrap: Wrap = iter) -> dict[str, Any]:
    """Compare old and new and store what came out as the migration's verdict.

    Relevance is measured on the collection's judgements, or on queries made of its rows (see
    `vectors.relevance.known_items`) where it has none. `advice` is "switch", "stay", "undecided" or
    "incomplete". Raises EmbedderError where either embedder fails.
    """
    alias = str(migration._state.db)
    old, new = (_as_switched(space, migration.live) for space in old_and_new(migration))
    relevance, queries = _relevance(old, new, migration.live, alias, wrap)
    if not queries:
        rows = execute(alias, sql.sample(Tables.of(migration.live), _MAX_QUERIES))
        queries = [(title or text)[:_MAX_QUERY] for _, title, text in rows]
    verdict: dict[str, Any] = {
        "at": timezone.now().isoformat(),
        "rows": {
            "old": int(execute(alias, Tables.of(old).count())[0][0]),
            "new": int(execute(alias, Tables.of(new).count())[0][0]),
            "missing": count_lacking(migration),
        },
        "relevance": relevance,
        **_compared(old, new, queries[:_MAX_QUERIES], alias),
        "bytes": {
            name: int(execute(alias, sql.index_bytes(Tables.of(space)))[0][0])
            for name, space in (("old", old), ("new", new))
        },
    }
    verdict["advice"], verdict["text"] = advise(verdict)
    EmbeddingMigration.objects.using(alias).filter(pk=migration.pk).update(verdict=verdict)
    migration.verdict = verdict
    return verdict


def advise(verdict: dict[str, Any]) -> tuple[str, str]:
    """What the figures speak for, in one word and in a sentence."""
    missing = verdict["rows"]["missing"]
    if missing:
        return "incomplete", f"Not yet: the new space lacks {missing:,} rows. Fill them with --start."
    if not verdict["relevance"]:
        return "undecided", "Nobody has judged any query, and the rows make none: compare some answers."
    change = verdict["relevance"]["hybrid"]["difference"]
    average, low, high = change["mean"], change["low"], change["high"]
    bounds = "" if low is None else f" (95 %: {low:+.4f} to {high:+.4f})"
    queries = f"{verdict['relevance']['n']:,} queries"
    said = f"nDCG@{K} of hybrid search changes by {average:+.4f}{bounds} on {queries}"
    if low is None:
        return "undecided", f"Too few queries to tell: {said}."
    if low > 0:
        return "switch", f"Switch: {said}."
    if high < 0:
        return "stay", f"Do not switch: {said}."
    if low >= -_POINT:
        return "switch", f"Safe to switch, though no gain is certain: {said}."
    return "undecided", f"No certain difference: {said}. More judgements, speed, size and price may decide."


def _as_switched(space: Collection, live: Collection) -> Collection:
    """The space with the name and what comes with it, whichever has it."""
    taken = copy(space)
    taken.name, taken.strategy = live.name, live.strategy
    taken.keyword_weight, taken.keyword_weight_cjk = live.keyword_weight, live.keyword_weight_cjk
    return taken


def _relevance(
    old: Collection, new: Collection, live: Collection, alias: str, wrap: Wrap
) -> tuple[dict[str, Any] | None, list[str]]:
    """nDCG of both with the interval of the paired difference, by mode, and the texts of the queries."""
    judged = judged_queries(live, using=alias)[:_MAX_JUDGED]
    with ExitStack() as stack:
        if judged:
            source, spaces, using = QuerySource.JUDGEMENTS, [old, new], alias
        else:
            source, using = QuerySource.KNOWN_ITEMS, None
            made = make_known_items(sample(live, _MAX_KNOWN, alias))
            judged = made.queries
            if not judged:
                return None, []
            spaces = [
                stack.enter_context(scratch_copy(space, made.items, using=alias)) for space in (old, new)
            ]
        figures: dict[str, Any] = {"source": str(source), "n": len(judged)}
        scores = [
            {
                one.mode: one.scores[:, 0]
                for one in measure(space, judged, Options(_MODES), wrap=wrap, using=using)
            }
            for space in spaces
        ]
    for mode in _MODES:
        before, after = (one[mode] for one in scores)
        figures[mode] = {
            "old": mean_interval(before).as_dict(),
            "new": mean_interval(after).as_dict(),
            "difference": mean_interval(after - before).as_dict(),
        }
    return figures, [one.query for one in judged]


def _compared(old: Collection, new: Collection, queries: list[str], alias: str) -> dict[str, Any]:
    """How many of the ten nearest both find, and the median milliseconds of each."""
    found, latency = [], {}
    for name, space in (("old", old), ("new", new)):
        keys, searching, embedding = [], [], []
        for query in [*queries[:1], *queries]:  # the first one loads what a process keeps
            started = time.perf_counter()
            vector = for_collection(space).embed_query(query)
            embedding.append(1_000 * (time.perf_counter() - started))
            result = search(space, query, vector=vector, mode="semantic", k=K, using=alias)
            searching.append(result.plan["ms"])
            keys.append({hit.key for hit in result.hits})
        found.append(keys[1:])
        latency[name] = {"search": _median(searching[1:]), "embedding": _median(embedding[1:])}
    shares = [len(a & b) / max(1, len(a), len(b)) for a, b in zip(*found, strict=True)]
    return {
        f"overlap@{K}": round(mean(shares), 4) if shares else None,
        "queries": len(shares),
        "p50_ms": latency,
    }


def _median(values: list[float]) -> float | None:
    return round(median(values), 3) if values else None
