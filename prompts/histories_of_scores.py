"""How versions did over time, and against each other."""

from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db.models import Avg, Count, QuerySet

from vectors.relevance.intervals import CONFIDENCE, mean_interval

from .gates import compare_versions, scores_by_item
from .models import Evaluation, Prompt, PromptVersion

_MAX_SHOWN: Final = 50
# Of one version: above, the interval is that of the normal distribution, from which none can be told then.
_MAX_SCORES: Final = 20_000
_QUANTILE: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def by_version(
    prompt: Prompt, *, name: str = "", before: int | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Number, mean and 95 % interval of each version that was evaluated, the newest version first; those
    below the number `before`, and at most `limit`, where given. Two queries.
    """
    rows = Evaluation.objects.filter(prompt=prompt.pk, name=name, version__isnull=False)
    if before is not None:
        rows = rows.filter(version__version__lt=before)
    versions = list(
        rows.order_by("-version__version")
        .values("version", "version__version")
        .annotate(n=Count("pk"), mean=Avg("score"))[:limit]
    )
    if not versions:
        return []
    wanted = [row["version"] for row in versions]
    scores = _scores(wanted, rows if limit is None else rows.filter(version__in=wanted))
    return [
        {
            "version": row["version__version"],
            "n": row["n"],
            "mean": row["mean"],
            "ci": interval(scores[row["version"]]),
        }
        for row in versions
    ]


def interval(scores: npt.NDArray[np.float64]) -> list[float] | None:
    """The 95 % interval of the mean of scores, in order; None of fewer than two."""
    if len(scores) > _MAX_SCORES:
        mean, error = float(scores.mean()), float(scores.std(ddof=1)) / len(scores) ** 0.5
        return [max(mean - _QUANTILE * error, 0.0), min(mean + _QUANTILE * error, 1.0)]
    found = _bootstrapped(np.ascontiguousarray(scores, dtype=np.float64).tobytes())
    return None if found is None else list(found)


def compare(
    old: PromptVersion, new: PromptVersion, *, name: str = "", confidence: float = 0.95
) -> dict[str, Any]:
    """The paired test, None without items in common, and the items whose scores differ most."""
    test = compare_versions(old, new, name=name, confidence=confidence)
    before, after = scores_by_item(old, name), scores_by_item(new, name)
    items = sorted(before.keys() & after.keys(), key=lambda item: (after[item] - before[item], item))
    differing = [item for item in items if before[item] != after[item]]
    half = _MAX_SHOWN // 2
    shown = differing if len(differing) <= _MAX_SHOWN else differing[:half] + differing[-half:]
    return {
        "from": old.version,
        "to": new.version,
        "name": name,
        "test": test.as_json() if test else None,
        "items": [{"item": item, "from": before[item], "to": after[item]} for item in shown],
        "only_from": len(before.keys() - after.keys()),
        "only_to": len(after.keys() - before.keys()),
    }


def _scores(versions: Sequence[str], rows: QuerySet[Evaluation]) -> dict[str, npt.NDArray[np.float64]]:
    """In order: read as how often there is which, as there are few different ones mostly."""
    counted: dict[str, tuple[list[float], list[int]]] = {key: ([], []) for key in versions}
    grouped = rows.order_by("score").values("version", "score").annotate(n=Count("pk"))
    for version, score, n in grouped.values_list("version", "score", "n"):
        if version not in counted:  # evaluated since they were listed
            continue
        counted[version][0].append(score)
        counted[version][1].append(n)
    return {
        key: np.repeat(np.array(scores, dtype=np.float64), counts)
        for key, (scores, counts) in counted.items()
    }


@lru_cache(maxsize=2_000)
def _bootstrapped(scores: bytes) -> tuple[float, float] | None:
    """Kept, as evaluations never change and a page shows dozens of versions: 10 ms for each of 100 scores."""
    found = mean_interval(np.frombuffer(scores, dtype=np.float64))
    return None if found.low is None or found.high is None else (found.low, found.high)
