"""How prompts differ between two environments, in full: a diff of the contents, other fields side by side."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models.functions import Length

from prompts.comparing import Comparison, Difference
from prompts.diffs import Diff, compare
from prompts.models import Prompt, PromptLabel
from prompts.models.fields import FIELDS
from prompts.three_way import is_same
from prompts.unified_diff import unified

Labels = dict[str, dict[str, int]]  # version numbers by label, by the id of a prompt


@dataclass(frozen=True, slots=True)
class Place:
    """A prompt that is not alike on both sides; the id is empty on the side that has not got it, and
    ``difference`` is of one that both have.
    """

    name: str
    left_id: str = ""
    right_id: str = ""
    difference: Difference | None = None


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


def list_places(comparison: Comparison) -> list[Place]:
    """Every prompt that differs, by name."""
    places = [
        *(Place(one.name, left_id=one.id) for one in comparison.only_left),
        *(Place(one.name, right_id=one.id) for one in comparison.only_right),
        *(Place(one.right.name, one.left.id, one.right.id, one) for one in comparison.differing),
    ]
    return sorted(places, key=attrgetter("name", "left_id", "right_id"))


def read_details(places: Iterable[Place], left: str, right: str) -> Iterator[Detail]:
    """The prompts of these places, one after the other; `left` and `right` are database aliases.

    Contents are read as they are now: a prompt deleted since the comparison is on neither side.
    """
    for place in places:
        yield Detail(place.name, _read(left, place.left_id), _read(right, place.right_id))


def read_page(
    places: Sequence[Place], left: str, right: str, length: int | None
) -> list[tuple[Place, Detail, bool]]:
    """Some prompts with few statements, and whether their contents were read: in order, up to `length`
    characters of all together, where it is given.
    """
    mine, others = (
        _without_contents(alias, [getattr(place, side) for place in places])
        for alias, side in ((left, "left_id"), (right, "right_id"))
    )
    rest = length
    found: list[tuple[Place, Detail, bool]] = []
    for place in places:
        one, other = mine.get(place.left_id), others.get(place.right_id)
        detail = Detail(place.name, one, other)
        size = sum(prompt.length for prompt in (one, other) if prompt)
        is_read = rest is None or size <= rest
        if rest is not None and is_read:
            rest -= size
        found.append((place, detail, is_read))
    read = [detail for _, detail, is_read in found if is_read]
    _add_contents(left, [detail.left for detail in read if detail.left])
    _add_contents(right, [detail.right for detail in read if detail.right])
    return found


def read_labels(places: Sequence[Place], left: str, right: str) -> tuple[Labels, Labels]:
    """Which version each label stands at, by prompt, in the left one and in the right one."""
    mine, others = (
        _labels(alias, [getattr(place, side) for place in places])
        for alias, side in ((left, "left_id"), (right, "right_id"))
    )
    return mine, others


def count_differences(comparison: Comparison) -> int:
    """Prompts that are not alike on both sides."""
    return sum(map(len, attrgetter("only_left", "only_right", "differing")(comparison)))


def _read(alias: str, prompt_id: str) -> Prompt | None:
    return Prompt.objects.using(alias).filter(pk=prompt_id).first() if prompt_id else None


def _without_contents(alias: str, ids: Collection[str]) -> dict[str, Any]:
    """Prompts by id; ``length`` is that of the content, in characters."""
    prompts = Prompt.objects.using(alias).defer("content").annotate(length=Length("content"))
    return dict(prompts.in_bulk([key for key in ids if key]))


def _add_contents(alias: str, prompts: Collection[Prompt]) -> None:
    rows = Prompt.objects.using(alias).filter(pk__in=[prompt.pk for prompt in prompts])
    contents = dict(rows.values_list("pk", "content").order_by())
    for prompt in prompts:
        prompt.content = contents.get(prompt.pk, "")


def _labels(alias: str, ids: Collection[str]) -> Labels:
    rows = PromptLabel.objects.using(alias).filter(prompt__in=[key for key in ids if key]).order_by("name")
    found: Labels = {}
    for prompt_id, name, version in rows.values_list("prompt_id", "name", "version__version"):
        found.setdefault(prompt_id, {})[name] = version
    return found


def _label(environment: str, prompt: Prompt | None) -> str:
    return f"{environment}/{prompt.name} v{prompt.version}" if prompt else "/dev/null"
