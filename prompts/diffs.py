"""What changed between two texts: line by line, and word by word within the lines that changed.

Lines and words are matched the same way: what occurs once in both texts anchors the rest (found in
n log n), and ``difflib`` matches what lies between two anchors. Its time grows with the cube of the length in
the worst case, so all its work is taken from a budget; passages beyond that count as replaced as a whole.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import Final, Literal

from vectors.fulltext import CJK

Kind = Literal["equal", "insert", "delete"]
Block = tuple[int, int, int]  # a[i:i + n] == b[j:j + n]

# Words are compared up to this many characters in both texts together; above, only lines are.
WORD_LIMIT: Final = 200_000
# Steps of difflib, some 5 million a second: for one passage, and for all of them.
_PASSAGE_LIMIT: Final = 2_000_000
_BUDGET: Final = 8_000_000
_MAX_DEPTH: Final = 12
# Pairs of lines weighed against each other when a changed passage is laid side by side.
_MAX_PAIRS: Final = 400
# Lines that share less than this of their words are shown as one taken out and one put in.
_LEAST_ALIKE: Final = 0.35
# Each Chinese or Japanese character counts as a word, for these languages put no spaces between them.
_TOKEN: Final = re.compile(rf"[{CJK}]|[^\W{CJK}]+|[^\S\n]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    kind: Kind
    text: str

    @property
    def shown(self) -> str:
        """The text, with a sign where nothing but a line end changed, which would not be seen."""
        if self.kind == "equal" or self.text.strip("\r\n"):
            return self.text
        return self.text.replace("\r", "␍").replace("\n", "↵")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the old text beside its counterpart; a number, from 1, is None where there is none.

    ``old`` has equal and deleted spans, ``new`` equal and inserted ones; together they are the lines.
    """

    old_number: int | None
    new_number: int | None
    old: tuple[Span, ...]
    new: tuple[Span, ...]

    @property
    def is_equal(self) -> bool:
        return all(span.kind == "equal" for span in (*self.old, *self.new))


@dataclass(frozen=True, slots=True)
class Diff:
    """``by_words`` is false where the texts are so long that only lines were compared; ``is_complete`` is
    false where a passage was too long or too repetitive to be matched within, and counts as replaced.
    """

    rows: list[Row]
    by_words: bool
    is_complete: bool


def compare(old: str, new: str) -> Diff:
    """The difference between two texts. Any two texts of a million characters take seconds at most."""
    return _Comparison(by_words=len(old) + len(new) <= WORD_LIMIT).run(old, new)


def matching_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Runs of lines that both have, in order, none overlapping another; bounded in time as `compare` is."""
    return _Comparison(by_words=False).blocks(old, new)


class Matcher:
    """`matching_blocks` of many texts, which share what time there is, that of `times` comparisons; past it,
    and where a passage is too repetitive, ``is_complete`` is false.
    """

    def __init__(self, times: int) -> None:
        self._comparison = _Comparison(by_words=False, budget=times * _BUDGET)

    def blocks(self, old: Sequence[str], new: Sequence[str]) -> list[Block]:
        return self._comparison.blocks(old, new)

    @property
    def is_complete(self) -> bool:
        return self._comparison.is_complete


class _Comparison:
    def __init__(self, by_words: bool, budget: int = _BUDGET) -> None:
        self.by_words = by_words
        self.budget = budget
        self.is_complete = True

    def run(self, old: str, new: str) -> Diff:
        a, b = split_lines(old), split_lines(new)
        rows: list[Row] = []
        i = j = 0
        for at_a, at_b, size in [*self.blocks(a, b), (len(a), len(b), 0)]:
            rows += self.replaced(a[i:at_a], b[j:at_b], i, j)
            rows += [
                Row(at_a + n + 1, at_b + n + 1, _whole("equal", line), _whole("equal", line))
                for n, line in enumerate(a[at_a : at_a + size])
            ]
            i, j = at_a + size, at_b + size
        return Diff(rows, self.by_words, self.is_complete)

    def replaced(self, a: Sequence[str], b: Sequence[str], i: int, j: int) -> Iterator[Row]:
        """The lines `a`, which begin at `i`, beside the lines `b` that stand in their place."""
        for left, right in self.pairs(a, b):
            if left is None or right is None:
                yield Row(
                    None if left is None else i + left + 1,
                    None if right is None else j + right + 1,
                    () if left is None else _whole("delete", a[left]),
                    () if right is None else _whole("insert", b[right]),
                )
            else:
                yield Row(i + left + 1, j + right + 1, *self.words(a[left], b[right]))

    def pairs(self, a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
        """Which old line stands beside which new one: the most alike, or the n-th where there are many."""
        if not (self.by_words and len(a) * len(b) <= _MAX_PAIRS):
            yield from zip_longest(range(len(a)), range(len(b)))
            return
        words_a, words_b = ([Counter(_TOKEN.findall(line)) for line in lines] for lines in (a, b))
        alike = [[_likeness(one, other) for other in words_b] for one in words_a]
        best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i in reversed(range(len(a))):
            for j in reversed(range(len(b))):
                best[i][j] = max(best[i + 1][j], best[i][j + 1], alike[i][j] + best[i + 1][j + 1])
        i = j = 0
        while i < len(a) and j < len(b):
            if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
                yield i, j
                i, j = i + 1, j + 1
            elif best[i][j] == best[i + 1][j]:
                yield i, None
                i += 1
            else:
                yield None, j
                j += 1
        yield from ((left, None) for left in range(i, len(a)))
        yield from ((None, right) for right in range(j, len(b)))

    def words(self, old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        if not self.by_words:
            return _whole("delete", old), _whole("insert", new)
        a, b = _TOKEN.findall(old), _TOKEN.findall(new)
        left: list[Span] = []
        right: list[Span] = []
        i = j = 0
        for at_a, at_b, size in [*self.blocks(a, b), (len(a), len(b), 0)]:
            left += _whole("delete", "".join(a[i:at_a]))
            right += _whole("insert", "".join(b[j:at_b]))
            same = _whole("equal", "".join(a[at_a : at_a + size]))
            left += same
            right += same
            i, j = at_a + size, at_b + size
        return tuple(_merged(left)), tuple(_merged(right))

    def blocks(self, a: Sequence[str], b: Sequence[str]) -> list[Block]:
        """Runs that both have, in order, none overlapping another."""
        return list(self._blocks(a, b, 0, len(a), 0, len(b), 0))

    def _blocks(
        self, a: Sequence[str], b: Sequence[str], i: int, i_end: int, j: int, j_end: int, depth: int
    ) -> Iterator[Block]:
        start, j_start = i, j
        while i < i_end and j < j_end and a[i] == b[j]:
            i, j = i + 1, j + 1
        if i > start:
            yield start, j_start, i - start
        tail = 0
        while i < i_end and j < j_end and a[i_end - 1] == b[j_end - 1]:
            i_end, j_end, tail = i_end - 1, j_end - 1, tail + 1
        if i < i_end and j < j_end:
            anchors = _anchors(a, b, i, i_end, j, j_end) if depth < _MAX_DEPTH else []
            if anchors:
                for at_a, at_b in [*anchors, (i_end, j_end)]:
                    # An anchor is the first match of the next stretch, which begins with it.
                    yield from self._blocks(a, b, i, at_a, j, at_b, depth + 1)
                    i, j = at_a, at_b
            else:
                yield from self._difflib(a[i:i_end], b[j:j_end], i, j)
        if tail:
            yield i_end, j_end, tail

    def _difflib(self, a: Sequence[str], b: Sequence[str], i: int, j: int) -> Iterator[Block]:
        in_b = Counter(b)
        matches = sum(in_b[one] for one in a)
        cost = matches * min(len(a), len(b))
        if cost > min(_PASSAGE_LIMIT, self.budget):
            self.is_complete = False
            return
        self.budget -= cost
        if matches:
            for at_a, at_b, size in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
                if size:
                    yield i + at_a, j + at_b, size


def _anchors(
    a: Sequence[str], b: Sequence[str], i: int, i_end: int, j: int, j_end: int
) -> list[tuple[int, int]]:
    """The longest series of elements that occur once in both ranges and stand in the same order."""
    at_a, at_b = _singles(a, i, i_end), _singles(b, j, j_end)
    pairs = [(at, at_b[one]) for one, at in at_a.items() if one in at_b and not one.isspace()]
    ends: list[int] = []  # the least last position in b of a rising series of each length
    at_ends: list[int] = []
    before: list[int] = []
    for number, (_, position) in enumerate(pairs):
        length = bisect_left(ends, position)
        before.append(at_ends[length - 1] if length else -1)
        ends[length : length + 1] = [position]
        at_ends[length : length + 1] = [number]
    series = []
    number = at_ends[-1] if at_ends else -1
    while number >= 0:
        series.append(pairs[number])
        number = before[number]
    return series[::-1]


def _singles(sequence: Sequence[str], start: int, stop: int) -> dict[str, int]:
    """Where in the range each element is that occurs there once, in order."""
    counts = Counter(sequence[start:stop])
    return {sequence[at]: at for at in range(start, stop) if counts[sequence[at]] == 1}


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    """The share of words that two lines have in common, 0…1, and 0 if that is little."""
    words_a, words_b = (Counter({word: n for word, n in one.items() if word.strip()}) for one in (a, b))
    total = words_a.total() + words_b.total()
    share = 2 * (words_a & words_b).total() / total if total else 0.0
    return share if share >= _LEAST_ALIKE else 0.0


def split_lines(text: str) -> list[str]:
    """The lines with their ends."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _whole(kind: Kind, text: str) -> tuple[Span, ...]:
    return (Span(kind, text),) if text else ()


def _merged(spans: list[Span]) -> Iterator[Span]:
    for kind, run in groupby(spans, key=lambda span: span.kind):
        yield Span(kind, "".join(span.text for span in run))


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines left out of a listing; `changed` says whether there are changes among them."""

    lines: int
    changed: bool = False


def fold(rows: Sequence[Row], context: int = 3, limit: int = 2_000) -> list[Row | Fold]:
    """The changed rows with `context` rows around them; the rest, and what is past `limit`, as folds."""
    shown = bytearray(len(rows))
    for at, row in enumerate(rows):
        if not row.is_equal:
            first, last = max(0, at - context), min(len(rows), at + context + 1)
            shown[first:last] = b"\1" * (last - first)
    folded: list[Row | Fold] = []
    at = 0
    for is_shown, run in groupby(shown):
        size = len(list(run))
        # Folding one line would take as much room as the line.
        folded += rows[at : at + size] if is_shown or size == 1 else [Fold(size)]
        at += size
    if len(folded) <= limit:
        return folded
    left_out = sum(one.lines if isinstance(one, Fold) else 1 for one in folded[limit:])
    return [*folded[:limit], Fold(left_out, changed=True)]
