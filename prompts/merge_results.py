"""What a merge has done, or why it has not."""

from dataclasses import dataclass
from typing import Any

from .database_pairs import MergeProblem
from .merge_steps import Conflict

_SHOWN = 10  # conflicts in an error


@dataclass(frozen=True, slots=True)
class MergedPrompt:
    """``action``: ``created``, ``fast_forwarded`` or ``merged``; ``versions``: how many were added."""

    id: str
    name: str
    action: str
    versions: int

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "action": self.action, "versions": self.versions}


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What was written, or with ``dry_run`` would be. Where there are conflicts nothing is."""

    source: str
    target: str
    prompts: tuple[MergedPrompt, ...]
    unchanged: int
    conflicts: tuple[Conflict, ...] = ()
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "target": self.target,
            "prompts": [one.as_json() for one in self.prompts],
            "unchanged": self.unchanged,
            "conflicts": [one.as_json() for one in self.conflicts],
            "dry_run": self.dry_run,
        }


class MergeConflict(MergeProblem):
    """Both sides changed the same. ``result`` has all conflicts; nothing was written."""

    def __init__(self, result: MergeResult) -> None:
        self.result = result
        found = result.conflicts
        listed = ", ".join(f"{one.prompt} ({one.field})" for one in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        super().__init__(
            f"Nothing was written, for there are conflicts: {listed}{more}. Change one of the sides, or "
            f"have {result.target} (ours) or {result.source} (theirs) win."
        )


class MergeRefused(MergeProblem):
    """Something else than a conflict is in the way; nothing was written."""
