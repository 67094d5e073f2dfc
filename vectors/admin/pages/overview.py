"""What stands above a collection's form: what it holds, what that takes, and what more of it would."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vectors.admin.charts import Axis, Chart, Point, Series
from vectors.admin.display import count
from vectors.admin.pages.progress import progress
from vectors.models import Collection
from vectors.upkeep import forecasting
from vectors.upkeep.stats import Stats, read_stats

PARTS: Final = {
    "items": gettext_lazy("Texts and metadata"),
    "vectors": gettext_lazy("Embeddings"),
    "fts": gettext_lazy("Full text"),
    "blocks": gettext_lazy("Codes"),
    "lists": gettext_lazy("Inverted lists"),
    "centroids": gettext_lazy("Centroids"),
    "diskann": gettext_lazy("Built-in index"),
}
STRATEGIES: Final = {
    "exact": gettext_lazy("Exact"),
    "quantised": gettext_lazy("Quantised"),
    "ivf": gettext_lazy("Inverted lists"),
    "diskann": gettext_lazy("DiskANN"),
}


def context(request: HttpRequest, collection: Collection) -> dict[str, Any]:
    stats = read_stats(collection)
    costs = forecasting.costs(collection, stats.state)
    sizes = forecasting.sizes(stats)
    total = sum(stats.sizes.values()) if stats.sizes else None
    return {
        "stats": stats,
        "total_bytes": total,
        "row_bytes": total / stats.rows if total and stats.rows else None,
        "parts": _parts(stats),
        "sizes": [(one, _strategy_at(one.rows, costs)) for one in sizes],
        "changes": [(rows, STRATEGIES[name]) for rows, name in forecasting.changes(costs)],
        "costs": _chart(costs, stats),
        **progress(request, collection, "rebuild_index"),
    }


def _parts(stats: Stats) -> list[tuple[Any, int, float]]:
    """Title, bytes and share of each part that takes any, the largest first."""
    sizes = stats.sizes or {}
    total = sum(sizes.values()) or 1
    ordered = sorted(sizes.items(), key=lambda part: -part[1])
    return [(PARTS[name], size, size / total) for name, size in ordered if size]


def _strategy_at(rows: int, costs: list[forecasting.Cost]) -> Any:
    chosen = [one.chosen for one in costs if one.rows <= rows]
    return STRATEGIES[chosen[-1] if chosen else costs[0].chosen]


def _chart(costs: list[forecasting.Cost], stats: Stats) -> Chart:
    names = [name for name in STRATEGIES if any(name in one.milliseconds for one in costs)]
    lines = [
        Series(
            str(STRATEGIES[name]),
            [Point(one.rows, one.milliseconds[name]) for one in costs if name in one.milliseconds],
        )
        for name in names
    ]
    return Chart(
        "costs",
        _("What a search takes, by rows, as the planner estimates"),
        [*lines, *_now(costs, stats)],
        Axis(_("rows"), "log"),
        Axis(_("milliseconds"), "log"),
    )


def _now(costs: list[forecasting.Cost], stats: Stats) -> list[Series]:
    near = min(costs, key=lambda one: abs(one.rows - stats.rows))
    if stats.rows < costs[0].rows:
        return []
    name = _("now: %(rows)s rows") % {"rows": count(stats.rows)}
    return [Series(name, [Point(near.rows, near.milliseconds[near.chosen])], is_marked=True)]
