"""Three-way merges: what two sides made of one base, taken together (diff3; Khanna, Kunal and Pierce, "A
formal investigation of diff3", 2007). Pure functions: nothing here knows a database.

*Ours* is the side that is merged into, *theirs* the one that is brought over. What only one side changed is
taken, and what both changed in the same way; what both changed in different ways is a conflict.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .diffs import matching_blocks, split_lines

Side = Literal["ours", "theirs"]
MISSING: Final = object()  # the value of a key that is not there: null is a value
_CONFLICT: Final = object()


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive lines of one text; ``first`` counts from 1 and says where they stand, or would."""

    first: int
    lines: tuple[str, ...]

    @property
    def place(self) -> str:
        match len(self.lines):
            case 0:
                return f"nothing at line {self.first}"
            case 1:
                return f"line {self.first}"
            case count:
                return f"lines {self.first}-{self.first + count - 1}"

    def __str__(self) -> str:
        unended = self.lines and not self.lines[-1].endswith("\n")
        return "".join(self.lines) + "\n\\ No newline at end of file\n" * bool(unended)


@dataclass(frozen=True, slots=True)
class Hunk:
    """One conflict: a passage of the base, and what each side has in its place."""

    base: Passage
    ours: Passage
    theirs: Passage

    def __str__(self) -> str:
        """As git shows it, with the numbers of the lines on all sides."""
        return (
            f"<<<<<<< ours, {self.ours.place}\n{self.ours}"
            f"||||||| base, {self.base.place}\n{self.base}"
            f"=======\n{self.theirs}>>>>>>> theirs, {self.theirs.place}\n"
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """``text`` is None where there are conflicts."""

    text: str | None
    conflicts: list[Hunk] = field(default_factory=list)


def merge_text(base: str, ours: str, theirs: str, *, resolve: Side | None = None) -> Merged:
    """Merge by lines, which end in LF: a CR before it is part of the line, and so is its lack at the end.

    Changes conflict where they touch, with no line between them that all three have. With `resolve`, that
    side wins each conflict; the rest is merged as ever.
    """
    texts = [split_lines(text) for text in (base, ours, theirs)]
    merged: list[str] = []
    conflicts: list[Hunk] = []
    for regions in _regions(*texts):
        parts = [lines[region.start : region.stop] for lines, region in zip(texts, regions, strict=True)]
        chosen = _decide(*parts, resolve=resolve)
        if chosen is _CONFLICT:
            starts = [region.start + 1 for region in regions]
            conflicts.append(Hunk(*map(Passage, starts, map(tuple, parts))))
        else:
            merged += chosen
    return Merged(None, conflicts) if conflicts else Merged("".join(merged))


def merge_value(
    base: Any, ours: Any, theirs: Any, *, resolve: Side | None = None, path: str = ""
) -> tuple[Any, dict[str, Hunk]]:
    """Merge JSON values, objects key by key; anything may be ``MISSING``.

    Returns the result and the conflicts by the path of keys that leads to each (``model.temperature``),
    beginning with `path`; conflicting keys are left out of the result.
    """
    known = {} if base is MISSING else base
    if not all(isinstance(value, dict) for value in (known, ours, theirs)):
        chosen = _decide(base, ours, theirs, resolve=resolve)
        return (MISSING, {path: value_hunk(base, ours, theirs)}) if chosen is _CONFLICT else (chosen, {})
    merged: dict[str, Any] = {}
    conflicts: dict[str, Hunk] = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        sides = (side.get(key, MISSING) for side in (known, ours, theirs))
        value, found = merge_value(*sides, resolve=resolve, path=f"{path}.{key}".lstrip("."))
        conflicts |= found
        if value is not MISSING:
            merged[key] = value
    return merged, conflicts


def merge_set(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Merge lists of which only the members count, in the order of ours: they never conflict."""
    added = [one for one in theirs if one not in base and one not in ours]
    removed = {one for one in base if one not in theirs}
    return [*(one for one in ours if one not in removed), *added]


def _decide(base: Any, ours: Any, theirs: Any, *, resolve: Side | None) -> Any:
    if is_same(ours, theirs) or is_same(base, theirs):
        return ours
    if is_same(base, ours):
        return theirs
    return {"ours": ours, "theirs": theirs, None: _CONFLICT}[resolve]


def is_same(one: Any, other: Any) -> bool:
    """As JSON tells values apart: 1, 1.0 and true are equal in Python only."""
    if MISSING in (one, other):
        return one is other
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def value_hunk(*values: Any) -> Hunk:
    """A conflict of values: of the base, ours and theirs."""

    def passage(value: Any) -> Passage:
        if value is MISSING:
            return Passage(1, ())
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Passage(1, tuple(split_lines(text + "\n")))

    return Hunk(*map(passage, values))


def _regions(base: list[str], ours: list[str], theirs: list[str]) -> Iterator[tuple[range, range, range]]:
    """The three texts cut into corresponding ranges: by turns what has changed, and what all have."""
    a = b = c = 0
    for in_base, in_ours, in_theirs, size in [
        *_common(base, ours, theirs),
        (len(base), len(ours), len(theirs), 0),
    ]:
        changed = range(a, in_base), range(b, in_ours), range(c, in_theirs)
        if any(changed):
            yield changed
        a, b, c = in_base + size, in_ours + size, in_theirs + size
        if size:
            yield range(in_base, a), range(in_ours, b), range(in_theirs, c)


def _common(base: list[str], ours: list[str], theirs: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Runs of lines that all three have: where they begin in each, and how many lines they are."""
    left, right = matching_blocks(base, ours), matching_blocks(base, theirs)
    i = j = 0
    while i < len(left) and j < len(right):
        (in_left, in_ours, size), (in_right, in_theirs, other_size) = left[i], right[j]
        start, stop = max(in_left, in_right), min(in_left + size, in_right + other_size)
        if start < stop:
            yield start, in_ours + start - in_left, in_theirs + start - in_right, stop - start
        if in_left + size <= in_right + other_size:
            i += 1
        else:
            j += 1
