"""Figures as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from vectors.relevance.intervals import Interval
from vectors.relevance.runs import Report
from vectors.relevance.tuning import Tuned


def report_lines(report: Report) -> Iterator[str]:
    """One mode: its figures, and below them what changed."""
    run, comparison = report.run, report.comparison
    title = f"{run.mode}, run {run.pk}" if run.pk else run.mode
    yield title
    for name, figures in run.metrics.items():
        text = f"  {name:<11}{_figures(Interval(**figures))}"
        if comparison:
            text += f"   change {_figures(comparison.differences[name], signed=True)}"
        yield text
    if comparison:
        left_out = f", {comparison.left_out:,} left out" if comparison.left_out else ""
        yield f"  against run {comparison.before.pk}, {comparison.paired:,} queries in both{left_out}"


def tuned_lines(tuned: Tuned) -> Iterator[str]:
    """One language: the weight now and the one to use, with what tells for it."""
    yield f"{_NAMES[tuned.language]}: {tuned.n:,} queries, {tuned.source}"
    yield f"  weight {tuned.current:g} now     nDCG@10 {_figures(tuned.score)}"
    if tuned.best != tuned.current:
        yield f"  weight {tuned.best:g} picked  nDCG@10 {_figures(tuned.best_score)}"
        if tuned.gain:
            yield f"  gain on queries not seen    {_figures(tuned.gain, signed=True)}"
    yield f"  reciprocal ranks instead    {_figures(tuned.rrf_gain, signed=True)}"
    yield f"  {'Change' if tuned.is_change else 'Keep'}: {tuned.reason}."


_NAMES = {"other": "English and others", "cjk": "Japanese, Chinese, Korean"}


def _figures(interval: Interval, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    mean = f"{interval.mean:{form}}"
    if interval.low is None or interval.high is None:
        return mean
    return f"{mean} [{interval.low:{form}}, {interval.high:{form}}]"
