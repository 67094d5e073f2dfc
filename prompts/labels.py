"""Labels: names such as ``production`` that lead applications to a version, and the log of their moves.

``latest`` moves by itself. Everything else moves here, in one transaction with its line in the log and with
the look at the evidence that its policy asks for, so that no two moves see the same state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.utils import timezone

from . import gates
from .composition import compose, part_of
from .dependants import check_dependants, find_dependants
from .errors import NotThere, Protected, Refused, RegistryProblem
from .events import Event, tell
from .models import LATEST, LabelMove, LabelPolicy, LabelSplit, Prompt, PromptLabel, PromptVersion, User
from .rendering.references import Reference
from .validators import validate_label, validate_text

MAX_REASON: Final = 2_000
MOVE_PROTECTED: Final = "prompts.move_protected_label"


@dataclass(frozen=True, slots=True)
class Moved:
    """``move`` is None where the label was there already; ``evidence`` is what the policy looked at."""

    version: int | None
    move: LabelMove | None = None
    evidence: dict[str, Any] | None = None


def labels_of(prompt: Prompt, *, using: str | None = None) -> dict[str, int]:
    """Versions by label, ``latest`` among them."""
    rows = PromptLabel.objects.using(using).filter(prompt=prompt.pk).order_by("name")
    return {LATEST: prompt.version, **dict(rows.values_list("name", "version__version"))}


def move_label(
    prompt: Prompt,
    name: str,
    number: int,
    *,
    actor: User | None,
    reason: str = "",
    undoes: LabelMove | None = None,
    using: str | None = None,
) -> Moved:
    """Have the label serve the version `number`. Nothing is written where it does already.

    `actor` is None for who works in a shell, and may do everything. Raises ``NotThere``, ``Protected``,
    ``EvidenceMissing`` with the figures, or another ``RegistryProblem``. To undo a move asks for no evidence:
    who goes back to what served before must not have to wait.
    """
    check_label(name, reason)
    alias = using or router.db_for_write(PromptLabel)
    with transaction.atomic(using=alias):
        versions = PromptVersion.objects.using(alias).kept().filter(prompt__deleted_at=None)
        version = versions.filter(prompt=prompt.pk, version=number).first()
        if version is None:
            raise NotThere("version", f"a version of {prompt.name}", str(number))
        label = _label(prompt, name, alias)
        if label and label.version_id == version.pk:
            return Moved(number)
        policy = _allowed_policy(name, actor, alias)
        _check_split(prompt, name, alias)
        evidence = None
        if policy and undoes is None:
            serving = label.version if label else gates.served_last(prompt, name, using=alias)
            evidence = gates.check(policy, version, serving, using=alias)
        compose(part_of(prompt.name, prompt.type, version), using=alias)
        before = label.version.version if label else None
        served = part_of(prompt.name, prompt.type, label.version) if label else None
        now = timezone.now()
        PromptLabel.objects.using(alias).update_or_create(
            prompt_id=prompt.pk, name=name, defaults={"version": version, "moved_at": now}
        )
        if served:
            check_dependants(prompt.name, {Reference(prompt.name, name): served}, using=alias)
        move = _log(prompt, name, before, number, actor, reason, evidence, undoes, now, alias)
    return Moved(number, move, evidence)


def remove_label(
    prompt: Prompt,
    name: str,
    *,
    actor: User | None,
    reason: str = "",
    undoes: LabelMove | None = None,
    using: str | None = None,
) -> Moved:
    """Take the label off. Raises ``NotThere``, ``Protected``, or ``Refused`` where others include by it."""
    check_label(name, reason)
    alias = using or router.db_for_write(PromptLabel)
    with transaction.atomic(using=alias):
        label = _label(prompt, name, alias)
        if label is None:
            raise NotThere("label", f"a label of {prompt.name}", repr(name))
        _allowed_policy(name, actor, alias)
        _check_split(prompt, name, alias)
        _check_dependants(prompt, name, alias)
        before = label.version.version
        label.delete(using=alias)
        move = _log(prompt, name, before, None, actor, reason, None, undoes, timezone.now(), alias)
    return Moved(None, move)


def undo(
    prompt: Prompt, name: str, *, actor: User | None, reason: str = "", using: str | None = None
) -> Moved:
    """Take back the label's last move that is not taken back yet: again and again, ever further back."""
    check_label(name, reason)
    alias = using or router.db_for_write(PromptLabel)
    with transaction.atomic(using=alias):
        moves = LabelMove.objects.using(alias).filter(prompt=prompt.pk, label=name)
        last = moves.filter(undoes=None, undone_by=None).order_by("-id").first()
        if last is None:
            raise NotThere("label", f"a move of {name!r} that can be taken back", "none")
        arguments: dict[str, Any] = {"actor": actor, "reason": reason, "undoes": last, "using": alias}
        if last.from_version is None:
            return remove_label(prompt, name, **arguments)
        return move_label(prompt, name, last.from_version, **arguments)


def version_at(
    prompt: Prompt, name: str, moment: datetime, *, using: str | None = None
) -> PromptVersion | None:
    """Which version the label served at that moment; None where it served none."""
    versions = PromptVersion.objects.using(using).filter(prompt=prompt.pk)
    if name == LATEST:
        newest = versions.filter(created_at__lte=moment).exclude(deleted_at__lte=moment)
        return newest.order_by("-version").first()
    moves = LabelMove.objects.using(using).filter(prompt=prompt.pk, label=name, created_at__lte=moment)
    number = moves.order_by("-id").values_list("to_version", flat=True).first()
    # Before numbers were kept, one that was purged left its own to another, which was not served then.
    return versions.filter(version=number, created_at__lte=moment).first() if number else None


def drop_labels(versions: Sequence[PromptVersion], *, actor: User | None, reason: str, using: str) -> None:
    """Take all labels off versions that are being deleted, within the caller's transaction."""
    labels = PromptLabel.objects.using(using).filter(version__in=versions).select_related("prompt", "version")
    for label in labels:
        _allowed_policy(label.name, actor, using)
        label.delete(using=using)
        before = label.version.version
        _log(label.prompt, label.name, before, None, actor, reason, None, None, timezone.now(), using)


def check_label(name: str, reason: str = "") -> None:
    """Raises ``RegistryProblem`` for a name that no label can have, or that does not move."""
    try:
        validate_label(name)
        validate_text(reason)
    except ValidationError as error:
        field = "label" if error.code == "label" else "reason"
        expected, _, got = error.messages[0].removeprefix("Expected ").rstrip(".").partition(", got ")
        raise RegistryProblem(field, expected, got) from error
    if name == LATEST:
        raise RegistryProblem("label", "another label than latest, which moves by itself", "latest")
    if len(reason) > MAX_REASON:
        raise RegistryProblem("reason", f"at most {MAX_REASON:,} characters", f"{len(reason):,}")


def _label(prompt: Prompt, name: str, using: str) -> PromptLabel | None:
    labels = PromptLabel.objects.using(using).select_related("version")
    return labels.filter(prompt=prompt.pk, name=name).first()


def _allowed_policy(name: str, actor: User | None, using: str) -> LabelPolicy | None:
    policy = LabelPolicy.objects.using(using).filter(name=name).first()
    if policy and policy.is_protected and actor is not None and not actor.has_perm(MOVE_PROTECTED):
        raise Protected("label", f"the permission {MOVE_PROTECTED} to move {name!r}", "an account without it")
    return policy


def _check_split(prompt: Prompt, name: str, using: str) -> None:
    """A label does not move under a running split, whose arms are compared with what it serves."""
    splits = LabelSplit.objects.using(using).filter(prompt=prompt.pk, label=name, ended_at=None)
    if splits.exists():
        raise Refused(
            "label", "a label without a running split", f"{name!r} with one", "End the split first."
        )


def _check_dependants(prompt: Prompt, name: str, using: str) -> None:
    wanting = [one for one in find_dependants(prompt.name, using=using) if one.reference.label == name]
    if wanting:
        raise Refused(
            "label",
            "a label by which no other prompt includes this one",
            f"{name!r}, by which {wanting[0].name} v{wanting[0].version} does",
        )


def _log(
    prompt: Prompt,
    name: str,
    before: int | None,
    after: int | None,
    actor: User | None,
    reason: str,
    evidence: dict[str, Any] | None,
    undoes: LabelMove | None,
    now: datetime,
    using: str,
) -> LabelMove:
    move = LabelMove.objects.using(using).create(
        prompt_id=prompt.pk,
        label=name,
        from_version=before,
        to_version=after,
        actor_id=actor.pk if actor else None,
        actor_name=actor.username if actor else "",
        reason=reason,
        evidence=evidence,
        undoes=undoes,
        created_at=now,
    )
    data = {"label": name, "from": before, "to": after, "reason": reason}
    kind: Any = "label.removed" if after is None else "label.moved"
    tell(Event(kind, prompt.pk, prompt.name, actor.pk if actor else "", data), using)
    return move
