"""Text for FTS5, in English and in Japanese, Chinese and Korean.

FTS5's `porter unicode61` splits at white space and punctuation, which Japanese and Chinese do not write.
Runs of Han, Hiragana, Katakana and Hangul are therefore cut into overlapping bigrams here, the classic index
unit for these scripts (Kwok, "Comparing representations in Chinese information retrieval", SIGIR 1997), with
the run's last character alone at the end: 東京都 → 東京 京都 都. Each character thus begins some token, and a
query of one character works as a prefix. All else goes to the tokenizer as it is, stemmed by it.

Index and query pass through the same `normalise`, so full-width ＡＢＣ meets abc and half-width ｱ meets ア.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# After NFKC: iteration and closing marks, kana with ー, Bopomofo, Hangul, Han with extensions.
CJK: Final = (
    "々-〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯㄱ-ㆎㇰ-ㇿ"
    "\u1100-\u11ff\uac00-\ud7a3\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(f"[{CJK}]+")
# A run, or a word as unicode61 sees it (it takes the underscore for a separator).
_TERM: Final = re.compile(f"(?P<run>[{CJK}]+)|(?P<word>[^\\W_{CJK}]+)")
# Unicode has none from U+1E94B on, and a million code points take 50 ms of every start.
_COMBINING: Final = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
_LONG_COMBINING: Final = re.compile(f"([{_COMBINING}]{{30}})[{_COMBINING}]+")
_INDEXED_BYTES: Final = 4 * 2**20
# Enough for any question; keeps the OR of a whole pasted document affordable.
MAX_TERMS: Final = 128


def normalise(text: str) -> str:
    """NFKC (full-width, half-width, ligatures), then case folded.

    Of a run of combining characters the first 30 stay (Unicode's "stream-safe" limit, UAX #15): sorting a
    run takes time that grows with its square, and nobody writes longer ones but to make that happen.
    """
    return unicodedata.normalize("NFKC", _LONG_COMBINING.sub(r"\1", text)).casefold()


def index_text(text: str) -> str:
    """`text` as it goes into the FTS5 table: normalised, runs of CJK characters as bigrams.

    Cut at 4 MiB, some 600,000 Japanese characters: a libSQL server stores no more in a row.
    """
    made = _RUN.sub(_bigrams_of_run, normalise(text))
    if 4 * len(made) <= _INDEXED_BYTES:
        return made
    return made.encode()[:_INDEXED_BYTES].decode(errors="ignore")


def terms(query: str) -> list[str]:
    """The distinct terms of a query in order of appearance, at most 128: words, and bigrams of CJK runs.

    A run of one character stays one character; `match_expression` searches it as a prefix.
    """
    found: dict[str, None] = {}
    for match in _TERM.finditer(normalise(query)):
        for term in [match["word"]] if match["word"] else _bigrams(match["run"]):
            found.setdefault(term)
        if len(found) >= MAX_TERMS:
            break
    return list(found)[:MAX_TERMS]


def match_expression(query: str) -> str:
    """The query as an FTS5 expression, any term being enough; empty where the query has no term.

    Terms are letters and digits only and are quoted one by one: no FTS5 syntax of the user's gets through.
    """
    return " OR ".join(f'"{term}"*' if is_single(term) else f'"{term}"' for term in terms(query))


def is_single(term: str) -> bool:
    """Is the term one CJK character, to be searched as a prefix?"""
    return len(term) == 1 and _RUN.match(term) is not None


def is_mostly_cjk(text: str) -> bool:
    """Do CJK characters make up more than half of the text's letters and digits?"""
    letters = cjk = 0
    for match in _TERM.finditer(normalise(text)):
        letters += len(match[0])
        cjk += len(match["run"] or "")
    return 2 * cjk > letters


def count_cjk(text: str) -> int:
    """How many Japanese, Chinese or Korean characters the text has."""
    return sum(len(run) for run in _RUN.findall(text))


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _bigrams_of_run(match: re.Match[str]) -> str:
    run = match[0]
    pairs = [run[i : i + 2] for i in range(len(run))]  # the last slice is one character
    return f" {' '.join(pairs)} "
