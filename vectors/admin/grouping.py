"""What the items of a map can be told apart by: fields of their metadata, what their application knows, and
clusters of their embeddings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from vectors.admin.naming import Naming
from vectors.browsing import Head
from vectors.index.kmeans import Numbers

# So many groups have a colour and a shape of their own; two more are what is left.
_COLOURS: Final = 6
_FIELDS: Final = 12
_NAME: Final = 40
# A field in which more of the items differ than that says nothing of groups.
_MOST_DIFFERENT: Final = 0.5
_FEW: Final = 20


@dataclass(frozen=True, slots=True)
class Grouping:
    """``values`` has the name of each item's group, in the order of the items; ``names`` those there are."""

    name: str
    title: Any
    names: list[str]
    values: list[str]


def groupings(heads: Sequence[Head], clusters: Numbers, naming: Naming) -> list[Grouping]:
    """All there are; the clusters last."""
    keys = [head.key for head in heads]
    found = [
        _grouping(name, group.title, [values.get(key, ()) for key in keys])
        for name, group in naming.groups.items()
        if (values := group.of(keys))
    ]
    found += _of_metadata(heads, naming)
    by_cluster = [[_("Cluster %(number)s") % {"number": number + 1}] for number in clusters.tolist()]
    return [*found, _grouping("cluster", _("Cluster"), by_cluster, most=len(by_cluster))]


def _of_metadata(heads: Sequence[Head], naming: Naming) -> Iterator[Grouping]:
    fields = Counter(name for head in heads for name in head.metadata)
    wanted = naming.fields or {name: name for name, _count in fields.most_common(_FIELDS)}
    for name, title in wanted.items():
        values = [_texts(head.metadata.get(name)) for head in heads]
        different = len({text for some in values for text in some})
        is_telling = different <= max(_FEW, _MOST_DIFFERENT * len(heads))
        if different and (is_telling or name in naming.fields):
            yield _grouping(name, title, values)


def _grouping(name: str, title: Any, values: Sequence[Sequence[str]], *, most: int = _COLOURS) -> Grouping:
    """Of an item with several values the one counts that most others have; rare ones are of one group."""
    counts = Counter(value for some in values for value in dict.fromkeys(some))
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    places = {value: at for at, value in enumerate(ordered)}
    others, none = _("all others"), _("none")
    chosen = []
    for some in values:
        best = min(some, key=lambda value: places[value], default=None)
        shown = none if best is None else others if places[best] >= most else best[:_NAME]
        chosen.append(shown)
    there = set(chosen)
    names = dict.fromkeys([*(value[:_NAME] for value in ordered[:most]), others, none])
    return Grouping(name, title, [one for one in names if one in there], chosen)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value if not isinstance(one, list) for text in _texts(one)]
    if value is None or isinstance(value, dict) or value == "":
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]
