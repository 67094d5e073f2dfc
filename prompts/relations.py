"""What a prompt includes and what includes it, level by level, as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .composition import MAX_DEPTH, Part, find_parts
from .dependants import Dependant, find_live_dependants
from .errors import CompositionProblem
from .models import Prompt, PromptLabel
from .rendering.errors import TemplateProblem
from .rendering.references import Reference

MAX_NODES: Final = 200  # in each direction


@dataclass(slots=True)
class Included:
    """``part`` is what the reference leads to, None where it leads nowhere. ``is_again`` where it stands in
    another place as well, and what it includes is shown there. ``id`` is the prompt's, empty of none.
    """

    reference: Reference
    part: Part | None
    labels: tuple[str, ...] = ()
    is_again: bool = False
    id: str = ""
    inner: list["Included"] = field(default_factory=list)


@dataclass(slots=True)
class Including:
    """A prompt that includes another in its newest version or in one that a label serves."""

    name: str
    versions: list[Dependant]
    id: str = ""
    outer: list["Including"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Relations:
    """``is_complete`` is false where there was more to show than ``MAX_NODES``; ``problem`` says why what is
    included could not be read.
    """

    includes: list[Included]
    included_by: list[Including]
    is_complete: bool
    problem: str = ""


def relations_of(prompt: Prompt) -> Relations:
    """Of the newest version. Queries grow with the levels, of which there are five at most, and not with
    what is on them.
    """
    problem = ""
    includes: list[Included] = []
    is_whole = True
    try:
        includes, is_whole = _includes(prompt)
    except (TemplateProblem, CompositionProblem) as error:
        problem = f"Expected {error.expected}, got {error.got}."
    included_by, is_all = _included_by(prompt.name)
    _name_ids(_flat(includes), _flat_outer(included_by))
    return Relations(includes, included_by, is_whole and is_all, problem)


def _name_ids(included: Sequence[Included], including: Sequence[Including]) -> None:
    names = {one.reference.name for one in included} | {one.name for one in including}
    ids = dict(Prompt.objects.filter(name__in=names).order_by().values_list("name", "pk")) if names else {}
    for one in included:
        one.id = ids.get(one.reference.name, "")
    for other in including:
        other.id = ids.get(other.name, "")


def _includes(prompt: Prompt) -> tuple[list[Included], bool]:
    top = [Included(one, None) for one in prompt.template.references]
    level, known, count = top, set[Reference](), len(top)
    for _ in range(MAX_DEPTH):
        wanted = [one.reference for one in level if one.reference not in known]
        parts = find_parts(list(dict.fromkeys(wanted)))
        below: list[Included] = []
        for one in level:
            one.is_again = one.reference in known
            one.part = parts.get(one.reference)
            known.add(one.reference)
            if one.part is None or one.is_again:
                continue
            one.inner = [Included(inner, None) for inner in one.part.template.references]
            count += len(one.inner)
            if count > MAX_NODES:
                one.inner = []
                _name_labels(top)
                return top, False
            below += one.inner
        level = below
        if not level:
            break
    _name_labels(top)
    return top, not level


def _name_labels(top: Sequence[Included]) -> None:
    """By which labels what is included is served."""
    parts = [one for one in _flat(top) if one.part]
    if not parts:
        return
    labels: dict[str, list[str]] = {}
    keys = {one.part.id for one in parts if one.part}
    for version, name in PromptLabel.objects.filter(version__in=keys).values_list("version", "name"):
        labels.setdefault(version, []).append(name)
    for one in parts:
        one.labels = tuple(labels.get(one.part.id, ())) if one.part else ()


def _included_by(name: str) -> tuple[list[Including], bool]:
    top: list[Including] = []
    level: dict[str, list[list[Including]]] = {name: [top]}  # where to put what includes each
    known = {name}
    for _ in range(MAX_DEPTH):
        found: dict[str, dict[str, list[Dependant]]] = {}
        dependants, is_all = find_live_dependants(list(level), limit=MAX_NODES)
        for one in dependants:
            found.setdefault(one.reference.name, {}).setdefault(one.name, []).append(one)
        above: dict[str, list[list[Including]]] = {}
        for inner, outers in found.items():
            for outer, versions in sorted(outers.items()):
                node = Including(outer, versions)
                for place in level[inner]:
                    place.append(node)
                if outer not in known:
                    above.setdefault(outer, []).append(node.outer)
        known |= above.keys()
        level = above
        if not is_all or len(known) > MAX_NODES:
            return top, False
        if not level:
            return top, True
    return top, True


def _flat(nodes: Sequence[Included]) -> list[Included]:
    return [one for node in nodes for one in (node, *_flat(node.inner))]


def _flat_outer(nodes: Sequence[Including]) -> list[Including]:
    return [one for node in nodes for one in (node, *_flat_outer(node.outer))]
