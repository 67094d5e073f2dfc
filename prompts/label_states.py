"""The labels of a prompt as they stand: what each serves, who put it there, and what could be taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Max, QuerySet

from .models import LATEST, LabelMove, LabelPolicy, LabelSplit, Prompt, PromptLabel, PromptVersion

PRODUCTION: Final = "production"  # the label that SDKs ask for


@dataclass(frozen=True, slots=True)
class LabelState:
    """``version`` is None of a label that was taken off; ``undoable`` is what `labels.undo` takes back."""

    name: str
    version: PromptVersion | None
    policy: LabelPolicy | None
    last: LabelMove | None
    undoable: LabelMove | None
    is_split: bool

    @property
    def needs_its_name(self) -> bool:
        """Is it so dear that who takes it off has to type it?"""
        return self.name == PRODUCTION or bool(self.policy and self.policy.is_protected)


def states_of(prompt: Prompt) -> list[LabelState]:
    """``production`` first, the others by name; last those that were taken off and could come back.

    Five queries, whatever there is. ``latest`` is not among them: it moves by itself.
    """
    rows = PromptLabel.objects.filter(prompt=prompt.pk).select_related("version", "version__author")
    labels = {
        row.name: row.version
        for row in rows.defer("version__content", "version__config", "version__variables")
    }
    moves = LabelMove.objects.filter(prompt=prompt.pk)
    last = _newest(moves)
    undoable = _newest(moves.filter(undoes=None, undone_by=None))
    names = {*labels, *(name for name, move in undoable.items() if move.from_version is not None)}
    policies = {policy.name: policy for policy in LabelPolicy.objects.filter(name__in=names)}
    split = {
        *LabelSplit.objects.filter(prompt=prompt.pk, ended_at=None).values_list("label", flat=True).order_by()
    }
    return [
        LabelState(
            name, labels.get(name), policies.get(name), last.get(name), undoable.get(name), name in split
        )
        for name in sorted(names, key=lambda one: (one not in labels, *label_order(one)))
    ]


def last_undoable(prompt: Prompt, name: str) -> LabelMove | None:
    """The move that `labels.undo` would take back now."""
    moves = LabelMove.objects.filter(prompt=prompt.pk, label=name, undoes=None, undone_by=None)
    return moves.order_by("-id").first()


def label_order(name: str) -> tuple[int, str]:
    """What applications are served by comes first, what moves by itself last."""
    return ({PRODUCTION: 0, LATEST: 2}.get(name, 1), name)


def known_labels(states: Iterable[LabelState], most: int = 50) -> list[str]:
    """Names to choose from: the prompt's own, and those that have a policy."""
    names = {state.name for state in states}
    names |= {*LabelPolicy.objects.order_by("name").values_list("name", flat=True)[:most]}
    return sorted(names, key=label_order)


def _newest(moves: QuerySet[LabelMove]) -> dict[str, LabelMove]:
    """The last of them by label."""
    newest = moves.order_by().values("label").annotate(newest=Max("id")).values("newest")
    return {move.label: move for move in LabelMove.objects.filter(pk__in=newest)}
