"""How prompts differ between two environments, in full: a diff of the contents, other fields side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from prompts.comparing import Comparison
from prompts.diffs import Diff, compare
from prompts.models import Prompt
from prompts.models.fields import FIELDS
from prompts.three_way import is_same
from prompts.unified_diff import unified


@dataclass(frozen=True)
class Detail:
    """One prompt as it is on both sides; None on the side that has not got it. ``name`` is its name now, in
    the right one where it has it.
    """

    name: str
    left: Prompt | None
    right: Prompt | None

    @property
    def diff(self) -> Diff:
        """Of the contents; none counts as empty."""
        return compare(self.left.content if self.left else "", self.right.content if self.right else "")

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """What differs beside the content, of a prompt that both have."""
        if self.left is None or self.right is None:
            return {}
        pairs = {name: (getattr(self.left, name), getattr(self.right, name)) for name in FIELDS}
        return {name: pair for name, pair in pairs.items() if not is_same(*pair)}

    def unified(self, left: str, right: str) -> str:
        """The diff as text that ``patch`` reads; `left` and `right` name the environments."""
        return unified(self.diff.rows, _label(left, self.left), _label(right, self.right))

    def as_json(self, left: str, right: str) -> dict[str, Any]:
        fields = {name: {"left": mine, "right": other} for name, (mine, other) in self.fields.items()}
        return {"name": self.name, "fields": fields, "unified": self.unified(left, right)}


def read_details(comparison: Comparison, left: str, right: str) -> Iterator[Detail]:
    """Every prompt that differs, one after the other by name; `left` and `right` are database aliases.

    Contents are read as they are now: a prompt deleted since the comparison is on neither side.
    """
    ids = [
        *((one.name, one.id, "") for one in comparison.only_left),
        *((one.name, "", one.id) for one in comparison.only_right),
        *((one.right.name, one.left.id, one.right.id) for one in comparison.differing),
    ]
    for name, left_id, right_id in sorted(ids):
        yield Detail(name, _read(left, left_id), _read(right, right_id))


def count_differences(comparison: Comparison) -> int:
    """Prompts that are not alike on both sides."""
    return sum(map(len, attrgetter("only_left", "only_right", "differing")(comparison)))


def _read(alias: str, prompt_id: str) -> Prompt | None:
    return Prompt.objects.using(alias).filter(pk=prompt_id).first() if prompt_id else None


def _label(environment: str, prompt: Prompt | None) -> str:
    return f"{environment}/{prompt.name} v{prompt.version}" if prompt else "/dev/null"
