"""Promotion gates: the evidence that a label's policy asks for before the label moves.

Versions are compared on the same items: an evaluation names the item that it is of, and the newest one of an
item counts. Runs in the transaction that moves the label.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .errors import EvidenceMissing
from .models import Evaluation, Evidence, LabelMove, LabelPolicy, Prompt, PromptVersion
from .models.label import MAX_ITEMS
from .statistics.paired import PairedTest, paired_test

Scores = npt.NDArray[np.float64]
_ROUNDING: Final = 1e-9  # by which a mean of floats may miss the threshold it is equal to


def check(
    policy: LabelPolicy, version: PromptVersion, serving: PromptVersion | None, *, using: str | None = None
) -> dict[str, Any] | None:
    """The evidence for `version` in place of `serving`, or None where the policy asks for none.

    Raises ``EvidenceMissing``, whose ``evidence`` are the same figures.
    """
    match policy.evidence:
        case Evidence.NONE:
            return None
        case Evidence.THRESHOLD:
            return _check_threshold(policy, version, using)
        case _ if serving is None:
            # There is nothing to be better than: it has to have been evaluated, no more.
            return _check_count(policy, mean_score(version, policy.score_name, using=using))
        case _:
            return _check_pairs(policy, version, serving, using)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a label might move, by what its policy requires; ``reason`` is what is missing."""

    allowed: bool
    required: str
    reason: str
    evidence: dict[str, Any] | None


def weigh(prompt: Prompt, label: str, version: PromptVersion, *, using: str | None = None) -> Verdict:
    """What `check` would say if the label were moved now."""
    policy = LabelPolicy.objects.using(using).filter(name=label).first()
    if policy is None:
        return Verdict(True, Evidence.NONE, "", None)
    labelled = PromptVersion.objects.using(using).filter(labels__prompt=prompt.pk, labels__name=label)
    serving = labelled.first() or served_last(prompt, label, using=using)
    try:
        found = check(policy, version, serving, using=using)
    except EvidenceMissing as missing:
        return Verdict(False, policy.evidence, str(missing), missing.evidence)
    return Verdict(True, policy.evidence, "", found)


def served_last(prompt: Prompt, label: str, *, using: str | None = None) -> PromptVersion | None:
    """What a label served before it was taken off: that counts, or else to take it off would be the way
    around its policy. In the trash or not; None where it served nothing, or what was purged.
    """
    moves = LabelMove.objects.using(using).filter(prompt=prompt.pk, label=label, from_version__isnull=False)
    last = moves.order_by("-id").first()
    if last is None or last.from_version is None:
        return None
    versions = PromptVersion.objects.using(using).filter(prompt=prompt.pk, version=last.from_version)
    return versions.filter(created_at__lte=last.created_at).first()


def mean_score(version: PromptVersion, name: str = "", *, using: str | None = None) -> dict[str, Any]:
    """How many items were evaluated, and the mean of their scores (None of none)."""
    scores = [*scores_by_item(version, name, using=using).values()]
    return {
        "test": "none",
        "n": len(scores),
        "p": None,
        "estimate": float(np.mean(scores)) if scores else None,
        "ci": None,
    }


def compare_versions(
    old: PromptVersion,
    new: PromptVersion,
    *,
    name: str = "",
    confidence: float = 0.95,
    using: str | None = None,
) -> PairedTest | None:
    """The paired test of two versions on the items that both were evaluated on; None where there are none."""
    before, after = (scores_by_item(one, name, using=using) for one in (old, new))
    items = [item for item in before if item in after]
    if not items:
        return None
    return paired_test(
        np.array([before[item] for item in items]),
        np.array([after[item] for item in items]),
        confidence=confidence,
    )


def scores_by_item(version: PromptVersion, name: str = "", *, using: str | None = None) -> dict[str, float]:
    """The newest score of each item; of evaluations without an item, which pair with nothing, none."""
    rows = (
        Evaluation.objects.using(using)
        .filter(version=version.pk, name=name)
        .exclude(item="")
        .order_by("-created_at", "-pk")
        .values_list("item", "score")
    )
    return dict(sorted(dict(reversed(rows[:MAX_ITEMS])).items()))


def _check_threshold(policy: LabelPolicy, version: PromptVersion, using: str | None) -> dict[str, Any]:
    found = {**mean_score(version, policy.score_name, using=using), "test": "threshold"}
    _check_count(policy, found)
    if policy.threshold is None or found["estimate"] < policy.threshold - _ROUNDING:
        raise EvidenceMissing(
            "version", f"a mean score of at least {policy.threshold}", f"{found['estimate']:.4g}", found
        )
    return found


def _check_count(policy: LabelPolicy, found: dict[str, Any]) -> dict[str, Any]:
    if found["n"] < policy.minimum_items:
        what = (
            "that both versions were evaluated on"
            if found["test"] in ("mcnemar", "bootstrap")
            else "evaluated"
        )
        raise EvidenceMissing(
            "version", f"at least {policy.minimum_items:,} items {what}", f"{found['n']:,}", found
        )
    return found


def _check_pairs(
    policy: LabelPolicy, version: PromptVersion, serving: PromptVersion, using: str | None
) -> dict[str, Any]:
    test = compare_versions(
        serving, version, name=policy.score_name, confidence=policy.confidence, using=using
    )
    if test is None:
        nothing = {"test": "bootstrap", "n": 0, "p": None, "estimate": None, "ci": None}
        return _check_count(policy, nothing)
    found = test.as_json()
    _check_count(policy, found)
    low, high = found["ci"]
    shown = f"{found['estimate']:+.4g} [{low:+.4g}, {high:+.4g}], p = {found['p']:.3g}"
    if policy.evidence == Evidence.BETTER:
        if not test.is_better:
            wanted = f"better than version {serving.version} with p < {1 - policy.confidence:.3g}"
            raise EvidenceMissing("version", wanted, shown, found)
    elif low < -policy.margin:
        worst = f"by at most {policy.margin:g}, with {policy.confidence:.3g} confidence"
        wanted = f"not worse than version {serving.version}, or {worst}"
        raise EvidenceMissing("version", wanted, shown, found)
    return found
