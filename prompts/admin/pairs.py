"""Two versions, or two runs, on the same items: what the pages of both have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from .. import diffs
from ..pairing import WHICH, Pair, Pairing, Shown, Side, Which, dataset_items, names_of, outputs, pair
from . import score_charts
from .differences import number_of
from .items import ShownItem, shown

ITEMS = 10  # a page
NAMES = 4  # whose differences are drawn beside each other
_LENGTH = 20_000  # characters of two outputs that are compared word by word


@dataclass(frozen=True, slots=True)
class ShownPair:
    """One item: what went in, what came out on both sides, and how these differ."""

    pair: Pair
    item: ShownItem | None
    old: Shown
    new: Shown
    diff: diffs.Diff | None
    rows: list[diffs.Row | diffs.Fold]


def context_of(request: HttpRequest, old: Side, new: Side) -> dict[str, Any]:
    """By the score ``name``; ``show`` says which items, and ``page`` which of these, counted from 1."""
    names = names_of(old, new)
    name = score_charts.chosen(names, request.GET.get("name", ""))
    pairing = pair(old, new, name)
    asked = request.GET.get("show")
    which: Which = next((one for one in WHICH if one == asked), "worse")
    items = pairing.of(which)
    page = max(1, min(number_of(request.GET.get("page"), 1), -(-len(items) // ITEMS)))
    return {
        "names": [(one, score_charts.name_of(one)) for one in names],
        "name": name,
        "pairing": pairing,
        "test": pairing.test,
        "which": which,
        "shown_items": _shown(items[(page - 1) * ITEMS : page * ITEMS], old, new),
        "item_count": len(items),
        "page": page,
        "has_more": page * ITEMS < len(items),
        **_charts(old, new, name, names, pairing),
    }


def _charts(old: Side, new: Side, name: str, names: Sequence[str], pairing: Pairing) -> dict[str, Any]:
    if pairing.test is None:
        return {}
    tests = {name: pairing.test}
    for other in [one for one in names if one != name][: NAMES - 1]:
        if test := pair(old, new, other).test:
            tests[other] = test
    return {
        "differences_chart": score_charts.differences(tests),
        "spread_chart": score_charts.spread_of_differences(pairing),
    }


def _shown(pairs: Sequence[Pair], old: Side, new: Side) -> list[ShownPair]:
    keys = [one.item for one in pairs]
    before, after = outputs(old, keys), outputs(new, keys)
    items = dataset_items([before, after])
    return [_of(one, shown(items.get(one.item)), before[one.item], after[one.item]) for one in pairs]


def _of(one: Pair, item: ShownItem | None, old: Shown, new: Shown) -> ShownPair:
    if old.output is None or new.output is None:
        return ShownPair(one, item, old, new, None, [])
    texts = [side.output.output[:_LENGTH] for side in (old, new) if side.output]
    diff = diffs.compare(*texts)
    return ShownPair(one, item, old, new, diff, diffs.fold(diff.rows, 3, 200))
