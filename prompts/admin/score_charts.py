"""Plots of scores: of versions, of runs, of splits."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from vectors.admin.charts import Axis, Chart, Point, Series
from vectors.admin.display import count

from ..evaluating.figures import BINS, Metric
from ..pairing import Pairing
from ..splits import Look
from ..statistics.paired import PairedTest


def name_of(score: str) -> str:
    """The main score has no name of its own."""
    return score or _("Main score")


def chosen(names: Sequence[str], asked: str) -> str:
    """The score that the address asks for, else the first there is."""
    return asked if asked in names else next(iter(names), "")


def means_of_versions(rows: Sequence[dict[str, Any]], name: str) -> Chart:
    """`rows` as ``histories_of_scores.by_version`` gives them, the newest first."""
    points = [_mean(f"v{row['version']}", row["mean"], row["ci"], _items(row["n"])) for row in reversed(rows)]
    return Chart(
        "versions",
        _("Mean score of each version, with its 95% interval"),
        [Series(name_of(name), points)],
        Axis(_("Version"), "category"),
        Axis(_("Mean score"), low=0, high=1),
    )


def means_of_metrics(metrics: Sequence[Metric]) -> Chart:
    points = [_mean(name_of(one.name), one.mean, one.ci, _items(one.n)) for one in metrics]
    return Chart(
        "metrics",
        _("Mean of each metric, with its 95% interval"),
        [Series(_("Mean"), points, "points")],
        Axis(_("Metric"), "category"),
        Axis(_("Mean score"), low=0, high=1),
    )


def spread(metric: Metric) -> Chart:
    """How the items of a run are spread over the scores."""
    width = 1 / BINS
    points = [
        Point(f"{at * width:.1f}–{(at + 1) * width:.1f}", number) for at, number in enumerate(metric.bins)
    ]
    return Chart(
        "spread",
        _("Items by score: %(name)s") % {"name": name_of(metric.name)},
        [Series(_("Items"), points, "bar")],
        Axis(_("Score"), "category"),
        Axis(_("Items"), low=0),
    )


def differences(tests: dict[str, PairedTest]) -> Chart:
    """New minus old, by the name of the score."""
    points = [
        Point(name_of(name), test.estimate, _items(test.n), low=test.low, high=test.high)
        for name, test in tests.items()
    ]
    return Chart(
        "differences",
        _("Difference of the means, with its 95% interval"),
        [Series(_("Difference"), points, "points")],
        Axis(_("Score"), "category"),
        Axis(_("New minus old")),
    )


def spread_of_differences(pairing: Pairing) -> Chart:
    bins = [0] * (2 * BINS + 1)  # the one in the middle is of those that stayed the same
    for pair in pairing.pairs:
        step = min(BINS, 1 + int(abs(pair.difference) * BINS)) if pair.difference else 0
        bins[BINS + (step if pair.difference > 0 else -step)] += 1
    points = [Point(_of_bin(at - BINS), number) for at, number in enumerate(bins)]
    return Chart(
        "spread-of-differences",
        _("Items by how much their score changed"),
        [Series(_("Items"), points, "bar")],
        Axis(_("New minus old"), "category"),
        Axis(_("Items"), low=0),
    )


def split_history(looks: Sequence[Look], versions: Sequence[int], name: str) -> Chart:
    """Of each arm, the difference to the control as it was found over time."""
    arms = sorted({look.arm for look in looks})
    return Chart(
        name,
        _("Difference to the control over time, with intervals that hold at all times"),
        [
            Series(
                f"v{versions[arm]}",
                [
                    Point(look.moment, look.estimate, low=look.low, high=look.high)
                    for look in looks
                    if look.arm == arm
                ],
            )
            for arm in arms
        ],
        Axis(_("Time"), "time"),
        Axis(_("Difference of the rates")),
    )


def _of_bin(step: int) -> str:
    if step == 0:
        return "0"
    low, high = (abs(step) - 1) / BINS, abs(step) / BINS
    return f"+{low:.1f} … +{high:.1f}" if step > 0 else f"−{high:.1f} … −{low:.1f}"


def _mean(x: str, mean: float, ci: Sequence[float] | None, text: str) -> Point:
    low, high = ci or (None, None)
    return Point(x, mean, f"{x}, {text}", low=low, high=high)


def _items(number: int) -> str:
    return _("items: %(number)s") % {"number": count(number)}
