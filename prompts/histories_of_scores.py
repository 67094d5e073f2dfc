"""How versions did over time, and against each other."""

from typing import Any, Final

import numpy as np
from django.db.models import Avg, Count

from vectors.relevance.intervals import mean_interval

from .gates import compare_versions, scores_by_item
from .models import Evaluation, Prompt, PromptVersion

_MAX_SHOWN: Final = 50
_MAX_SCORES: Final = 20_000  # of one version, for its interval


def by_version(prompt: Prompt, *, name: str = "") -> list[dict[str, Any]]:
    """Number, mean and 95 % interval of each version that was evaluated, the newest version first."""
    rows = (
        Evaluation.objects.filter(prompt=prompt.pk, name=name, version__isnull=False)
        .order_by("-version__version")
        .values("version", "version__version")
        .annotate(n=Count("pk"), mean=Avg("score"))
    )
    return [
        {
            "version": row["version__version"],
            "n": row["n"],
            "mean": row["mean"],
            "ci": _interval(row["version"], name),
        }
        for row in rows
    ]


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


def _interval(version_id: str, name: str) -> list[float] | None:
    scores = Evaluation.objects.filter(version=version_id, name=name).values_list("score", flat=True)
    found = mean_interval(np.array(scores[:_MAX_SCORES], dtype=np.float64))
    return None if found.low is None or found.high is None else [found.low, found.high]
