"""Draw recall against time: `python -m vectors.benchmarking.plot FILE` reads a report from its input.

Needs matplotlib, not Django.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.transforms import Bbox

_OWN: Final = "#4f46e5"
_COLOURS: Final = ("#0d9488", "#ea580c", "#db2777", "#65a30d", "#0284c7", "#9333ea", "#a16207")

# Where a name may stand, in points from its own point: the nearest first.
_PLACES: Final = sorted(
    [
        (x, y)
        for y in (0, 10, -10, 19, -19, 28, -28, 37, -37)
        for x in (0, 45, -45, 70, -70, 95, -95)
        if x or y
    ],
    key=lambda place: abs(place[0]) / 2 + abs(place[1]),
)


def draw(report: dict[str, Any], file: str) -> None:
    """A scatter plot: milliseconds of the median search (logarithmic) across, recall upwards."""
    runs = [run for run in report["runs"] if run["p50_ms"] is not None]
    engines = list(dict.fromkeys(run["engine"] for run in runs))
    others = dict(zip([name for name in engines if name != "afn"], _COLOURS, strict=False))
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    for engine in engines:
        its = [run for run in runs if run["engine"] == engine]
        axes.scatter(
            [run["p50_ms"] for run in its],
            [run["recall_at_k"] for run in its],
            label=engine,
            color=_OWN if engine == "afn" else others[engine],
            marker="o" if engine == "afn" else "s",
            s=60 if engine == "afn" else 36,
            zorder=3,
        )
    lowest = min((run["recall_at_k"] for run in runs), default=0.9)
    room = max(0.01, 0.15 * (1 - lowest))
    axes.set_ylim(lowest - room, 1 + room)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel("median of one search, ms (logarithmic)")
    axes.set_ylabel(f"recall@{report['k']}")
    axes.set_title(f"{report['rows']:,} rows × {report['dims']:,} dimensions, k = {report['k']}, one thread")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(loc="lower left", fontsize=8)
    axes.xaxis.set_major_formatter("{x:g}")
    _label(figure, axes, runs)
    figure.savefig(file, dpi=150)


def _label(figure: Any, axes: Any, runs: list[dict[str, Any]]) -> None:
    """Name the points, each where it covers no other point and no other name, if there is such a place."""
    figure.canvas.draw()  # fixes where things are
    points = axes.transData.transform([(run["p50_ms"], run["recall_at_k"]) for run in runs])
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in points]
    for run in runs:
        note = axes.annotate(
            f"{run['engine']} {run['strategy']}",
            (run["p50_ms"], run["recall_at_k"]),
            xytext=_PLACES[0],
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7,
        )
        for offset in _PLACES:
            note.set_position(offset)
            box = note.get_window_extent()
            if axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1) and not box.count_overlaps(taken):
                break
        taken.append(note.get_window_extent())


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
    sys.stdout.write(json.dumps({"file": sys.argv[1]}) + "\n")
