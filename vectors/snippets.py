"""The part of a text that best shows why a query found it: plain text and offsets, nothing of HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vectors.fulltext import CJK, terms

_LONG_WORD: Final = 5
_NEAR: Final = 20  # characters
_SHORT_WORD: Final = 3
_ENDINGS: Final = "(?:e|d|s|es|ly|ions?|[a-z]?ing|[a-z]?ed|[a-z]?ers?)?"
_ANY_ENDING: Final = r"[^\W\d_]{0,3}"
# Words that say nothing about a text, unless the query has no others.
_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do for from how i in is it me my of on or that the this to was we "
        "what with you your",
    )
)
_SUFFIXES: Final = ("ing", "ed", "es", "s", "ly")
# Matches looked at: enough to find a dense window even where a common word fills a long text.
_MAX_MATCHES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Snippet:
    """A window on a source text.

    `text` is `source[start:start + len(text)]`; `highlights` are (start, end) offsets into `text`, ascending
    and apart. `before` and `after` say whether the source goes on there. Escaping is the caller's.
    """

    text: str
    highlights: list[tuple[int, int]]
    start: int
    before: bool
    after: bool


def snippet(text: str, query: str, width: int = 240) -> Snippet:
    """A window of about `width` characters around the most of the query's terms.

    Where no term occurs, the beginning of the text. Words match with other endings as far as stripping common
    suffixes goes (the index's own stemming is finer), and in full- or half-width form.
    """
    spans = _matches(text, terms(query))
    start = _snapped(text, _densest(spans, width, len(text)))
    stop = min(len(text), start + width)
    if stop < len(text) and (space := text.rfind(" ", start + width * 3 // 4, stop)) > 0:
        stop = space
    inside = [(left - start, right - start) for left, right, _ in spans if left >= start and right <= stop]
    return Snippet(text[start:stop], _merged(inside), start, start > 0, stop < len(text))


def _matches(text: str, wanted: list[str]) -> list[tuple[int, int, str]]:
    """(start, end, term) of the terms' occurrences, by start. CJK bigrams may overlap."""
    if not wanted:
        return []
    folded = _fold(text)
    telling = [term for term in wanted if term not in _COMMON] or wanted
    stems = {_stem(term): None for term in telling}
    by_length = sorted(stems, key=len, reverse=True)
    words = [stem for stem in by_length if not re.match(f"[{CJK}]", stem)]
    runs = [re.escape(stem) for stem in by_length if re.match(f"[{CJK}]", stem)]
    spans: list[tuple[int, int, str]] = []
    if words:
        forms = "|".join(_forms(word) for word in words)
        spans += _first(re.compile(rf"(?<![^\W_{CJK}])(?:{forms})(?![^\W_{CJK}])"), folded)
    if runs:
        spans += [
            (left, left + len(term), term)
            for left, _, term in _first(re.compile(f"(?=({'|'.join(runs)}))"), folded)
        ]
    return sorted(spans)


def _first(pattern: re.Pattern[str], text: str) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for match in pattern.finditer(text):
        found.append((match.start(), match.end(), match[match.lastindex or 0]))
        if len(found) == _MAX_MATCHES:
            break
    return found


def _densest(spans: list[tuple[int, int, str]], width: int, length: int) -> int:
    """Where the window starts: most distinct terms, then most matches, then first; its matches centred."""
    best, best_score = (0, 0), (0, 0)
    counts: dict[str, int] = {}
    left = 0
    for right, (_, end, term) in enumerate(spans):
        counts[term] = counts.get(term, 0) + 1
        while left < right and end - spans[left][0] > width:
            counts[spans[left][2]] -= 1
            if not counts[spans[left][2]]:
                del counts[spans[left][2]]
            left += 1
        score = (len(counts), right - left + 1)
        if score > best_score:
            best, best_score = (spans[left][0], end), score
    if not spans:
        return 0
    spare = max(0, width - (best[1] - best[0]))
    return max(0, min(best[0] - spare // 2, length - width))


def _snapped(text: str, start: int) -> int:
    """Move a start near the text's own to it, and one inside a word to the next word, if that is near."""
    if start < _NEAR:
        return 0
    if not (text[start - 1].isalnum() and text[start].isalnum()):
        return start
    gap = re.compile(r"\s+").search(text, start, start + _NEAR)
    return gap.end() if gap else start


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for left, right in spans:
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return merged


def _fold(text: str) -> str:
    """Normalise character by character where that keeps the length, so that offsets hold in the original."""
    table = {}
    for character in set(text):
        folded = unicodedata.normalize("NFKC", character).casefold()
        if len(folded) == 1 and folded != character:
            table[ord(character)] = folded
    return text.translate(table)


def _forms(stem: str) -> str:
    """A pattern for the word itself (its group) and, unless it is short, for its other endings."""
    if len(stem) < _SHORT_WORD:
        return f"({re.escape(stem)})"
    return f"({re.escape(stem)}){_ENDINGS if stem.isascii() else _ANY_ENDING}"


def _stem(term: str) -> str:
    if len(term) >= _LONG_WORD and term.isascii():
        for suffix in _SUFFIXES:
            if term.endswith(suffix):
                stem = term.removesuffix(suffix)
                return stem[:-1] if stem[-1] == stem[-2] else stem
    return term


def segments(shown: Snippet) -> Iterator[tuple[str, bool]]:
    """The snippet's text in pieces, each with whether the query matched it."""
    at = 0
    for start, end in shown.highlights:
        if at < start:
            yield shown.text[at:start], False
        yield shown.text[start:end], True
        at = end
    if at < len(shown.text):
        yield shown.text[at:], False
