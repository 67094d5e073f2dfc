"""A plot of recall against latency, as SVG or PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vectors.errors import InvalidQuery, shown
from vectors.upkeep.tuning import Tuning

FORMATS: Final = (".svg", ".png")
_MARKERS: Final = {"exact": "s", "quantised": "o", "ivf": "^", "diskann": "D"}


def check_target(path: Path) -> None:
    """Raise InvalidQuery, before any work, where `path` cannot become a plot."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidQuery("plot", "a file that ends in .svg or .png", shown(str(path)))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InvalidQuery("plot", "a file in a folder that is there", shown(str(path)))
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InvalidQuery(
            "plot", "matplotlib to draw with", "none installed", "Run `pip install matplotlib`."
        ) from error


def plot(tuning: Tuning, path: Path) -> None:
    """Draw all trials, a colour for each strategy, with the target and the one chosen."""
    check_target(path)
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for strategy, marker in _MARKERS.items():
        trials = sorted(
            (one for one in tuning.trials if one.strategy == strategy), key=lambda one: one.p50_ms
        )
        if trials:
            times, recalls = [one.p50_ms for one in trials], [one.recall for one in trials]
            axes.plot(times, recalls, marker, label=strategy, alpha=0.8)
    axes.plot(
        [tuning.chosen.p50_ms],
        [tuning.chosen.recall],
        "o",
        markersize=16,
        markerfacecolor="none",
        color="black",
        label="chosen",
    )
    axes.axhline(tuning.target, linestyle="--", linewidth=1, color="grey", label=f"target {tuning.target:g}")
    axes.set_xscale("log")
    # As people write milliseconds: 0.5, 1, 2.
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("median latency, ms")
    axes.set_ylabel(f"recall@{tuning.k}")
    axes.set_title(f"{tuning.rows:,} rows")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path)
