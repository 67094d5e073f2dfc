"""Estimates, verdicts and states as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectors.migrating.changing import Change
from vectors.migrating.estimating import Estimate
from vectors.migrating.verdict import K
from vectors.models import Collection


def described(collection: Collection) -> str:
    """What a space was made with."""
    return f"{collection.embedder} ({collection.model}, {collection.dimensions} dimensions)"


def estimate_lines(cost: Estimate, change: Change) -> Iterator[str]:
    """What embedding anew would cost."""
    embedder = change.embedder
    yield f"{change.collection.name} → {change.name} ({embedder.model}, {embedder.dimensions} dimensions)"
    yield f"rows        {cost.rows:>14,} in {cost.batches:,} batches"
    yield f"characters  {cost.characters:>14,}"
    yield f"tokens      {sum(cost.tokens.values()):>14,} or so, {cost.tokens['cjk']:,} of them CJK"
    yield f"seconds     {cost.seconds:>14,.1f} at the speed of a sample"
    if cost.price is not None:
        yield f"price       {cost.price:>14,.4f}"


def verdict_lines(verdict: dict[str, Any]) -> Iterator[str]:
    """Old and new in two columns, then the advice."""
    rows, size, latency = verdict["rows"], verdict["bytes"], verdict["p50_ms"]
    yield f"{'':<28}{'old':>12}{'new':>12}"
    yield f"{'rows':<28}{rows['old']:>12,}{rows['new']:>12,}   {rows['missing']:,} missing"
    if relevance := verdict["relevance"]:
        for mode in ("hybrid", "semantic"):
            one = relevance[mode]
            change = one["difference"]
            bounds = "" if change["low"] is None else f" ({change['low']:+.4f} to {change['high']:+.4f})"
            yield (
                f"{f'nDCG@{K} {mode}':<28}{one['old']['mean']:>12.4f}{one['new']['mean']:>12.4f}"
                f"   {change['mean']:+.4f}{bounds}"
            )
        yield f"    by {relevance['n']:,} queries, {relevance['source']}"
    for name, label in (("search", "search, p50 ms"), ("embedding", "embedding a query, p50 ms")):
        values = [latency[which][name] for which in ("old", "new")]
        yield f"{label:<28}" + "".join(f"{'–' if value is None else f'{value:.2f}':>12}" for value in values)
    yield f"{'bytes of vectors and index':<28}{size['old']:>12,}{size['new']:>12,}"
    if (same := verdict[f"overlap@{K}"]) is not None:
        yield f"{same:.0%} of the {K} nearest are the same, over {verdict['queries']:,} queries"
    yield verdict["text"]


def state_lines(state: dict[str, Any]) -> Iterator[str]:
    """Of `changing.state_of`."""
    for which in ("old", "new"):
        place = state[which]
        role = "searched" if state["live"] == which else "kept current"
        yield f"{which}: {place['embedder']} ({place['model']}, {place['dimensions']} dimensions), {role}"
    yield f"{state['rows']:,} rows; the space that is not searched lacks {state['rows_missing']:,} of them"
    if state["filled_by"]:
        yield f"being filled by {state['filled_by']}"
    if state["verdict"]:
        yield from verdict_lines(state["verdict"])
    elif state["live"] == "old":
        yield "There is no verdict yet."
    if state["live"] == "new":
        name = state["new"]["embedder"]
        yield f"Set AFN_EMBEDDER={name} for collections to come; --drop ends the migration."
