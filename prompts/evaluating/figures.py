"""What came of runs, in figures: how far they are, what they cost, and how well they did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import numpy as np
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils import timezone

from ..histories_of_scores import interval
from ..models import Evaluation, EvaluationRun, RunOutput

BINS: Final = 10
_MAX_SCORES: Final = 100_000


@dataclass(slots=True)
class Figures:
    """``means`` by the name of the score, "" being the main one; ``problems`` are items without an output."""

    done: int = 0
    problems: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: float | None = None
    means: dict[str, float] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    @property
    def mean(self) -> float | None:
        return self.means.get("")


def of_runs(runs: Sequence[EvaluationRun]) -> dict[str, Figures]:
    """By id. Two queries, however many runs."""
    keys = [run.pk for run in runs]
    found = {key: Figures() for key in keys}
    outputs = RunOutput.objects.filter(run__in=keys).order_by().values("run")
    for row in outputs.annotate(
        done=Count("pk"),
        problems=Count("pk", filter=~Q(problem="")),
        tokens_in=Sum("tokens_in"),
        tokens_out=Sum("tokens_out"),
        latency_ms=Avg("latency_ms"),
    ):
        figures = found[row["run"]]
        figures.done, figures.problems, figures.latency_ms = row["done"], row["problems"], row["latency_ms"]
        figures.tokens_in, figures.tokens_out = row["tokens_in"] or 0, row["tokens_out"] or 0
    evaluations = Evaluation.objects.filter(run__in=keys).order_by("name").values("run", "name")
    for score in evaluations.annotate(mean=Avg("score")):
        found[score["run"]].means[score["name"]] = score["mean"]
    return found


def duration_of(run: EvaluationRun) -> timedelta:
    """From when it was made to its end, or until now."""
    return (run.finished_at or timezone.now()) - run.created_at


@dataclass(frozen=True, slots=True)
class Metric:
    """One score of a run: its mean with the 95 % interval, None of a single item, and how items are spread
    over ``BINS`` equal parts of 0 to 1, the last of which includes 1.
    """

    name: str
    n: int
    mean: float
    ci: list[float] | None
    bins: list[int]


def metrics_of(run: EvaluationRun) -> list[Metric]:
    """The main score first, which has no name. One query."""
    scores: dict[str, list[float]] = {}
    rows = Evaluation.objects.filter(run=run.pk).order_by("name", "score")
    for name, score in rows.values_list("name", "score")[:_MAX_SCORES]:
        scores.setdefault(name, []).append(score)
    return [_metric(name, found) for name, found in scores.items()]


def below(run: EvaluationRun, name: str, limit: float) -> QuerySet[Evaluation]:
    """The evaluations of a score up to a limit, the worst first."""
    return Evaluation.objects.filter(run=run.pk, name=name, score__lte=limit).order_by("score", "item")


def _metric(name: str, scores: list[float]) -> Metric:
    values = np.array(scores, dtype=np.float64)
    bins, _ = np.histogram(values, bins=BINS, range=(0, 1))
    return Metric(name, len(scores), float(values.mean()), interval(values), bins.tolist())
