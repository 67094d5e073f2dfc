"""Two versions, or two runs, on the items that both were evaluated on: item by item, and all in all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from django.db.models import F

from .gates import MAX_ITEMS, scores_by_item
from .models import DatasetItem, Evaluation, EvaluationRun, PromptVersion, RunOutput
from .statistics.paired import PairedTest, paired_test

Side = PromptVersion | EvaluationRun
Which = Literal["worse", "better", "same", "all"]
WHICH: Final[tuple[Which, ...]] = ("worse", "better", "same", "all")
_MAX_NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """The scores of one item."""

    item: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Pairing:
    """``pairs`` with those first that got worse the most; ``test`` is None where there are none.

    ``only_before`` and ``only_after`` count items that just one side was evaluated on.
    """

    test: PairedTest | None
    pairs: list[Pair]
    only_before: int
    only_after: int

    def of(self, which: Which) -> list[Pair]:
        """Those that got better begin with the best."""
        if which == "worse":
            return [pair for pair in self.pairs if pair.difference < 0]
        if which == "better":
            return [pair for pair in reversed(self.pairs) if pair.difference > 0]
        return [pair for pair in self.pairs if which == "all" or pair.difference == 0]


def pair(old: Side, new: Side, name: str = "", *, confidence: float = 0.95) -> Pairing:
    """Of the score `name`, the newest evaluation of each item. Two queries."""
    before, after = scores_of(old, name), scores_of(new, name)
    pairs = [Pair(item, score, after[item]) for item, score in before.items() if item in after]
    test = None
    if pairs:
        scores = ([one.before for one in pairs], [one.after for one in pairs])
        test = paired_test(*map(np.array, scores), confidence=confidence)
    pairs.sort(key=lambda one: (one.difference, one.item))
    return Pairing(test, pairs, len(before) - len(pairs), len(after) - len(pairs))


def scores_of(side: Side, name: str = "") -> dict[str, float]:
    """By item."""
    if isinstance(side, PromptVersion):
        return scores_by_item(side, name)
    rows = Evaluation.objects.filter(run=side.pk, name=name).exclude(item="").order_by("item")
    return dict(rows.values_list("item", "score")[:MAX_ITEMS])


def names_of(*sides: Side) -> list[str]:
    """Of the scores that all sides have; the main one, which has no name, first."""
    found: set[str] | None = None
    for side in sides:
        names = set(_evaluations(side).order_by().values_list("name", flat=True).distinct()[:_MAX_NAMES])
        found = names if found is None else found & names
    return sorted(found or ())


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to see of an item, of one side: its output, and what the metrics say of it."""

    output: RunOutput | None
    reasons: list[tuple[str, float, str]]  # name, score, reason


def outputs(side: Side, items: list[str]) -> dict[str, Shown]:
    """By item, of the newest run where there were several, each with its ``dataset``. Two queries."""
    rows = RunOutput.objects.filter(item__in=items).annotate(dataset=F("run__dataset"))
    rows = rows.filter(run__version=side.pk) if isinstance(side, PromptVersion) else rows.filter(run=side.pk)
    newest = {one.item: one for one in rows.order_by("created_at")}
    said: dict[str, dict[str, tuple[float, str]]] = {}
    evaluations = _evaluations(side).filter(item__in=items).order_by("created_at", "pk")
    for item, name, score, metrics in evaluations.values_list("item", "name", "score", "metrics"):
        said.setdefault(item, {})[name] = (score, reason_of(metrics))
    return {
        item: Shown(
            newest.get(item), [(name, *found) for name, found in sorted(said.get(item, {}).items()) if name]
        )
        for item in items
    }


def reason_of(metrics: Any) -> str:
    """Why it has its score, as a judge or a metric says; empty where neither does."""
    if not isinstance(metrics, Mapping):
        return ""
    if reason := metrics.get("reason") or metrics.get("problem"):
        return str(reason)
    missing = metrics.get("missing")
    return ", ".join(map(str, missing)) if isinstance(missing, list) else ""


def dataset_items(shown: Iterable[dict[str, Shown]]) -> dict[str, DatasetItem]:
    """What was put in, and what was expected to come out, by item: of the last that has an output for it."""
    wanted = {
        key: one.output.dataset  # type: ignore[attr-defined]  # annotated
        for side in shown
        for key, one in side.items()
        if one.output
    }
    rows = DatasetItem.objects.filter(dataset__in={*wanted.values()}, key__in=list(wanted))
    return {one.key: one for one in rows if wanted[one.key] == one.dataset_id}


def _evaluations(side: Side) -> Any:
    if isinstance(side, PromptVersion):
        return Evaluation.objects.filter(version=side.pk)
    return Evaluation.objects.filter(run=side.pk)
