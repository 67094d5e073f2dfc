"""Split labels: a label that serves several versions by weights, sticky by subject, and the test of its arms.

A subject (a user, a session) always gets the same arm, which follows from a hash of its name and the split's
salt. Names are kept as hashes only. Whoever asks without a subject gets what the label serves: the control.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, router, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from vectors.rows import execute

from .composition import compose, part_of
from .errors import EvidenceMissing, NotThere, Protected, Refused, RegistryProblem
from .events import Event, tell
from .gates import weigh
from .labels import MOVE_PROTECTED, move_label
from .models import LATEST, LabelPolicy, LabelSplit, Prompt, PromptLabel, PromptVersion, SplitSubject, User
from .rendering.errors import TemplateProblem
from .rendering.names import check_text
from .statistics.assignment import choose, stable_share
from .statistics.fisher import fisher_exact
from .statistics.sample_ratio import sample_ratio
from .statistics.sequential import sequential_test

MAX_ARMS: Final = 10
MAX_WEIGHT: Final = 1_000_000
MAX_SUBJECT: Final = 1_000
MAX_LOOKS: Final = 24
_RUNNING: Final = (
    "SELECT s.id, s.salt, s.arms FROM label_splits AS s JOIN prompts AS p ON p.id = s.prompt_id "
    "WHERE s.label = %s AND s.ended_at IS NULL AND p.id = coalesce("
    "(SELECT id FROM prompts WHERE id = %s AND deleted_at IS NULL), "
    "(SELECT id FROM prompts WHERE name = %s AND deleted_at IS NULL))"
)
# In which of the looks at a split outcomes came, and their sum, by arm.
_OUTCOMES: Final = (
    "SELECT CAST((julianday(outcome_at) - julianday(%s)) * 86400 / %s AS INTEGER) AS look, arm, count(*), "
    "sum(outcome) FROM split_subjects WHERE split_id = %s AND outcome IS NOT NULL GROUP BY look, arm"
)
_EXPOSE: Final = "INSERT OR IGNORE INTO split_subjects (split_id, subject, arm) VALUES (%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which arm, counted from 0, and which version a subject is served."""

    split_id: str
    arm: int
    version: int


def start_split(
    prompt: Prompt,
    label: str,
    arms: Sequence[Mapping[str, Any]],
    *,
    actor: User | None,
    alpha: float = 0.05,
    reason: str = "",
    using: str | None = None,
) -> LabelSplit:
    """Have `label` serve several versions. The first arm is the control, and what the label serves now.

    `arms` are ``{"version", "weight"}``. Raises ``RegistryProblem``: a version that is not there, one arm
    alone, a weight or an `alpha` that is none, a split that is running. Evidence is not asked for, as this
    is how it is found; but a label that asks for it serves its own version to half of the subjects at least,
    with all that have the evidence.
    """
    alias = using or router.db_for_write(LabelSplit)
    checked = _check_arms(arms)
    if not 0.0001 <= alpha <= 0.5:
        raise RegistryProblem("alpha", "0.0001 to 0.5", f"{alpha:g}")
    with transaction.atomic(using=alias):
        _check_protection(label, actor, alias)
        served = PromptLabel.objects.using(alias).filter(prompt=prompt.pk, name=label).first()
        control = served.version.version if served else 0
        if label == LATEST or not served:
            raise NotThere("label", f"a label of {prompt.name} other than latest", repr(label))
        if checked[0]["version"] != control:
            raise RegistryProblem(
                "arms[0].version", f"version {control}, which {label!r} serves", str(checked[0]["version"])
            )
        versions: list[PromptVersion] = []
        for at, arm in enumerate(checked):
            kept = PromptVersion.objects.using(alias).kept()
            version = kept.filter(prompt=prompt.pk, version=arm["version"]).first()
            if version is None:
                raise NotThere(f"arms[{at}].version", f"a version of {prompt.name}", str(arm["version"]))
            compose(part_of(prompt.name, prompt.type, version), using=alias)
            versions.append(version)
        _check_evidence(prompt, label, versions, [arm["weight"] for arm in checked], alias)
        if running(prompt, label, using=alias):
            raise Refused("label", "a label without a running split", f"{label!r} with one", "End it first.")
        split = LabelSplit.objects.using(alias).create(
            prompt_id=prompt.pk,
            label=label,
            arms=checked,
            salt=secrets.token_hex(16),
            alpha=alpha,
            reason=reason,
            user_id=actor.pk if actor else None,
        )
        data = {"label": label, "arms": checked, "reason": reason}
        tell(Event("split.started", prompt.pk, prompt.name, actor.pk if actor else "", data), alias)
    return split


def end_split(prompt: Prompt, label: str, *, actor: User | None, using: str | None = None) -> LabelSplit:
    """The label serves the control alone again; its counts are kept. Raises ``NotThere``."""
    alias = using or router.db_for_write(LabelSplit)
    with transaction.atomic(using=alias):
        _check_protection(label, actor, alias)
        split = running(prompt, label, using=alias)
        if split is None:
            raise NotThere("label", f"a label of {prompt.name} with a running split", repr(label))
        split.ended_at = timezone.now()
        split.save(using=alias, update_fields=["ended_at"])
        data = {"label": label, "arms": split.arms}
        tell(Event("split.ended", prompt.pk, prompt.name, actor.pk if actor else "", data), alias)
    return split


def conclude_split(
    prompt: Prompt, label: str, winner: int, *, actor: User | None, reason: str = "", using: str | None = None
) -> LabelSplit:
    """End it and have the label serve the version `winner`, one of its arms: both or neither.

    Raises what `end_split` and `move_label` do, such as ``EvidenceMissing``.
    """
    alias = using or router.db_for_write(LabelSplit)
    with transaction.atomic(using=alias):
        split = end_split(prompt, label, actor=actor, using=alias)
        if winner not in (versions := [arm["version"] for arm in split.arms]):
            raise NotThere("winner", f"one of the versions {', '.join(map(str, versions))}", str(winner))
        move_label(prompt, label, winner, actor=actor, reason=reason, using=alias)
    return split


def running(prompt: Prompt, label: str, *, using: str | None = None) -> LabelSplit | None:
    return LabelSplit.objects.using(using).filter(prompt=prompt.pk, label=label, ended_at=None).first()


def assign(ref: str, label: str, subject: str) -> Assignment | None:
    """Which arm of a running split the subject gets, noted as exposed; None where there is no split.

    Noting is left out while the database takes no writes: serving goes before counting.
    """
    _check_subject(subject)
    alias = router.db_for_write(LabelSplit)
    rows = execute(alias, (_RUNNING, [label, ref, ref]))
    if not rows:
        return None
    key, salt, arms_text = rows[0]
    arms = json.loads(arms_text)
    arm = choose(stable_share(salt, subject), [one["weight"] for one in arms])
    with suppress(DatabaseError):
        execute(alias, (_EXPOSE, [key, hash_subject(salt, subject), arm]))
    return Assignment(key, arm, arms[arm]["version"])


def record_outcome(
    prompt: Prompt, label: str, subject: str, value: float, *, using: str | None = None
) -> SplitSubject:
    """What came of a subject, 0 to 1; the first outcome counts, for the test knows one a subject.

    Raises ``RegistryProblem`` for another value, ``NotThere`` for a subject that was not served, ``Refused``
    where another outcome is known.
    """
    _check_subject(subject)
    if not 0 <= value <= 1:
        raise RegistryProblem("value", "a number from 0 to 1", f"{value:g}")
    alias = using or router.db_for_write(LabelSplit)
    split = running(prompt, label, using=alias)
    if split is None:
        raise NotThere("label", f"a label of {prompt.name} with a running split", repr(label))
    subjects = SplitSubject.objects.using(alias).filter(
        split=split, subject=hash_subject(split.salt, subject)
    )
    changed = subjects.filter(outcome=None).update(outcome=value, outcome_at=timezone.now())
    found = subjects.first()
    if found is None:
        raise NotThere("subject", "a subject that was served by this split", "another one")
    if not changed and found.outcome != value:
        raise Refused("value", f"the outcome that is known, {found.outcome:g}", f"{value:g}")
    return found


def report(split: LabelSplit, *, using: str | None = None) -> dict[str, Any]:
    """Counts of each arm, the test that may be looked at any time, and whether to stop."""
    return reports([split], using=using)[0]


def reports(splits: Sequence[LabelSplit], *, using: str | None = None) -> list[dict[str, Any]]:
    """What `report` says of each, by one query."""
    rows = (
        SplitSubject.objects.using(using)
        .filter(split__in=[split.pk for split in splits])
        .order_by()
        .values("split", "arm")
        .annotate(
            exposed=Count("pk"), known=Count("pk", filter=Q(outcome__isnull=False)), total=Sum("outcome")
        )
    )
    counts: dict[str, dict[int, dict[str, Any]]] = {split.pk: {} for split in splits}
    for row in rows:
        counts[row["split"]][row["arm"]] = dict(row)
    return [_report(split, counts[split.pk]) for split in splits]


@dataclass(frozen=True, slots=True)
class Look:
    """What the test said of an arm against the control at a moment: as `ArmTest` has it."""

    moment: datetime
    arm: int
    estimate: float
    low: float | None
    high: float | None


def history(split: LabelSplit, *, looks: int = MAX_LOOKS, using: str | None = None) -> list[Look]:
    """How the differences to the control developed, at so many moments evenly apart, from the first on at
    which both arms had outcomes. As the test may be looked at any time, all of its intervals hold at once.
    """
    alias = using or router.db_for_read(SplitSubject)
    end = split.ended_at or timezone.now()
    seconds = max((end - split.created_at).total_seconds(), 1.0) / looks
    start = split.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    rows = execute(alias, (_OUTCOMES, [start, seconds, split.pk]))
    weights = [arm["weight"] for arm in split.arms]
    successes, failures = [0.0] * len(weights), [0.0] * len(weights)
    by_look: dict[int, list[tuple[int, int, float]]] = {}
    for look, arm, known, total in rows:
        by_look.setdefault(min(max(int(look), 0), looks - 1), []).append((arm, known, total))
    found: list[Look] = []
    for look in sorted(by_look):
        for arm, known, total in by_look[look]:
            successes[arm] += total
            failures[arm] += known - total
        moment = split.created_at + timedelta(seconds=seconds * (look + 1))
        for one in sequential_test(successes, failures, weights, alpha=split.alpha).arms:
            if one.estimate is not None:
                found.append(Look(moment, one.arm, one.estimate, one.low, one.high))
    return found


def _report(split: LabelSplit, counts: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    weights = [arm["weight"] for arm in split.arms]
    arms = [_arm(split, at, counts.get(at, {})) for at in range(len(weights))]
    successes = [arm["successes"] for arm in arms]
    failures = [arm["outcomes"] - arm["successes"] for arm in arms]
    test = sequential_test(successes, failures, weights, alpha=split.alpha)
    ratio = sample_ratio([arm["exposures"] for arm in arms], weights)
    for one in test.arms:
        arms[one.arm]["versus_control"] = asdict(one)
        arms[one.arm]["fisher_p"] = _fisher(arms[0], arms[one.arm])
    winner = max(arms, key=lambda arm: arm["rate"] or 0.0)["version"] if test.stop else None
    return {
        "id": split.pk,
        "label": split.label,
        "alpha": split.alpha,
        "is_running": split.ended_at is None,
        "started_at": split.created_at,
        "ended_at": split.ended_at,
        "arms": arms,
        "test": "sequential",
        "p": test.p,
        "e_value": test.e_value,
        "stop": test.stop,
        "winner": winner,
        "sample_ratio_p": ratio.p_always,
    }


def hash_subject(salt: str, subject: str) -> str:
    return hashlib.sha256(f"{salt} {subject}".encode()).hexdigest()


def _arm(split: LabelSplit, at: int, counts: Mapping[str, Any]) -> dict[str, Any]:
    known, total = counts.get("known", 0), float(counts.get("total") or 0.0)
    return {
        "version": split.arms[at]["version"],
        "weight": split.arms[at]["weight"],
        "exposures": counts.get("exposed", 0),
        "outcomes": known,
        "successes": total,
        "rate": total / known if known else None,
        "versus_control": None,
        "fisher_p": None,
    }


def _fisher(control: Mapping[str, Any], arm: Mapping[str, Any]) -> float | None:
    """Of a single look at the end, where all outcomes are 0 or 1."""
    pairs = [(one["successes"], one["outcomes"]) for one in (control, arm)]
    if any(total == 0 or successes != int(successes) for successes, total in pairs):
        return None
    (a, n), (b, m) = pairs
    return fisher_exact(int(a), n, int(b), m).p


def _check_arms(arms: Sequence[Mapping[str, Any]]) -> list[dict[str, int]]:
    if not 2 <= len(arms) <= MAX_ARMS:
        raise RegistryProblem("arms", f"2 to {MAX_ARMS} arms", str(len(arms)))
    versions = [arm["version"] for arm in arms]
    if len(set(versions)) < len(versions):
        raise RegistryProblem("arms", "versions that differ", "one twice")
    for at, arm in enumerate(arms):
        if not 1 <= arm["weight"] <= MAX_WEIGHT:
            raise RegistryProblem(f"arms[{at}].weight", f"1 to {MAX_WEIGHT:,}", str(arm["weight"]))
    return [{"version": int(arm["version"]), "weight": int(arm["weight"])} for arm in arms]


def _check_protection(label: str, actor: User | None, using: str) -> None:
    policy = LabelPolicy.objects.using(using).filter(name=label, is_protected=True).first()
    if policy and actor is not None and not actor.has_perm(MOVE_PROTECTED):
        raise Protected(
            "label", f"the permission {MOVE_PROTECTED} to split {label!r}", "an account without it"
        )


def _check_evidence(
    prompt: Prompt, label: str, versions: Sequence[PromptVersion], weights: Sequence[int], using: str
) -> None:
    """Or else a split would be the way around a gate."""
    weighed = [weigh(prompt, label, version, using=using) for version in versions[1:]]
    unproven = sum(weight for weight, one in zip(weights[1:], weighed, strict=True) if not one.allowed)
    if 2 * unproven > sum(weights):
        first = next(one for one in weighed if not one.allowed)
        raise EvidenceMissing(
            "arms",
            f"at most half of the weight for versions without the evidence that {label!r} asks for",
            f"{unproven:,} of {sum(weights):,}: {first.reason}",
            first.evidence or {},
        )


def _check_subject(subject: str) -> None:
    try:
        check_text(subject, "subject", MAX_SUBJECT)
    except TemplateProblem as problem:
        raise RegistryProblem(problem.field, problem.expected, problem.got) from problem
    if not subject:
        raise RegistryProblem("subject", "the name of who is served", "nothing")
