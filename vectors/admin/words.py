"""The words of two texts, with those marked that the other one lacks at that place."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from vectors.fulltext import CJK

# Comparing takes the square of the words in the worst case: 4,000 of them a second.
_MOST: Final = 4_000
_WORD: Final = re.compile(rf"[{CJK}]|[^\W{CJK}]+|\s+|.", re.DOTALL)

Marked = list[tuple[str, bool]]


def differences(one: str, other: str) -> tuple[Marked, Marked] | None:
    """Both texts in pieces, each with whether it differs; None where they are too long to compare."""
    words, others = _WORD.findall(one), _WORD.findall(other)
    if max(len(words), len(others)) > _MOST:
        return None
    left: Marked = []
    right: Marked = []
    for kind, a, b, c, d in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if a < b:
            left.append(("".join(words[a:b]), kind != "equal"))
        if c < d:
            right.append(("".join(others[c:d]), kind != "equal"))
    return left, right
