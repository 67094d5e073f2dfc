"""Python regular expressions in the dialect of libSQL's ``regexp()`` function.

That function (SQLite's ``ext/misc/regexp.c``) knows no flags, groups without capture or classes inside
brackets, and its ``.``, ``\\d`` and ``\\w`` mean something else than Python's. A pattern is therefore
parsed by Python and written anew with nothing but literals, explicit classes, groups, alternatives and
repeats, so that it matches exactly what ``re.search`` would match. What has no equivalent is refused
with ``NotSupportedError``; it never silently matches something else.
"""

import _sre  # type: ignore[import-not-found]
import re
import sys
from collections import defaultdict
from functools import cache, lru_cache
from re import _casefix, _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from django.db import DataError, NotSupportedError

_Ranges = list[tuple[int, int]]
_LAST = sys.maxunicode
_SURROGATES = (0xD800, 0xDFFF)  # never part of UTF-8 text
_NEVER = r"\ud800"  # occurs in no text; libSQL takes no empty class, and NUL for anything
_MOST_STEPS = 60_000  # libSQL numbers them with 16 bits, and beyond that matches something else
_REFUSED = {
    _constants.ASSERT: "lookahead and lookbehind",
    _constants.ASSERT_NOT: "lookahead and lookbehind",
    _constants.GROUPREF: "back references",
    _constants.GROUPREF_EXISTS: "conditional groups",
    _constants.GROUPREF_IGNORE: "back references",
    _constants.ATOMIC_GROUP: "atomic groups",
    _constants.POSSESSIVE_REPEAT: "possessive repeats",
}
_ANCHORS = {
    _constants.AT_BEGINNING: "^",
    _constants.AT_BEGINNING_STRING: "^",
    _constants.AT_END: r"\u000a?$",  # Python's $ also matches before a final line feed
    _constants.AT_END_STRING: "$",
}


class _Part(NamedTuple):
    """A piece of the new pattern, and how many steps of libSQL's matcher it compiles to."""

    text: str
    steps: int


@lru_cache(maxsize=256)
def translate(pattern: str, *, ignore_case: bool = False) -> str:
    """`pattern` as ``re.search`` understands it, rewritten for ``regexp()``.

    Raises ``DataError`` for a pattern that Python refuses and ``NotSupportedError`` for one that libSQL
    has no equivalent for.
    """
    try:
        tree = _parser.parse(pattern, re.IGNORECASE if ignore_case else 0)
        text, steps = _sequence(tree, tree.state.flags, pattern, is_last=True)
    except (re.error, OverflowError, RecursionError) as error:
        raise DataError(f"Expected a regular expression, got {pattern[:200]!r}: {error}.") from error
    if steps > _MOST_STEPS:
        raise _unsupported(f"patterns of {steps:,} steps, at most {_MOST_STEPS:,}", pattern)
    return text


def _sequence(tree: Any, flags: int, pattern: str, *, is_last: bool) -> _Part:
    """The parts one after the other; `is_last`: the pattern has nothing that must match after them."""
    last = len(tree) - 1
    parts = [
        _one(operator, argument, flags, pattern, is_last=is_last and index == last)
        for index, (operator, argument) in enumerate(tree)
    ]
    return _Part("".join(part.text for part in parts), sum(part.steps for part in parts))


def _one(operator: Any, argument: Any, flags: int, pattern: str, *, is_last: bool) -> _Part:
    if operator is _constants.LITERAL:
        return _literal(argument, flags)
    if operator is _constants.NOT_LITERAL:
        return _bracket(_complement(_with_cases([(argument, argument)], flags)))
    if operator is _constants.ANY:
        return _bracket(_complement([] if flags & re.DOTALL else [(10, 10)]))
    if operator is _constants.IN:
        return _bracket(_class(argument, flags))
    if operator is _constants.SUBPATTERN:
        _, added, removed, inner = argument
        text, steps = _sequence(inner, (flags | added) & ~removed, pattern, is_last=is_last)
        return _Part(f"({text})", steps)
    if operator is _constants.BRANCH:
        branches = [_sequence(branch, flags, pattern, is_last=is_last) for branch in argument[1]]
        return _Part(f"({'|'.join(text for text, _ in branches)})", sum(steps + 2 for _, steps in branches))
    if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):  # greedy or not, the same texts match
        least, most, repeated = argument
        return _repeat(least, most, repeated, flags, pattern, is_last=is_last)
    if operator is _constants.AT and argument in _ANCHORS:
        if flags & re.MULTILINE and argument in (_constants.AT_BEGINNING, _constants.AT_END):
            raise _unsupported("line anchors (?m)", pattern)
        if argument in (_constants.AT_END, _constants.AT_END_STRING) and not is_last:
            # libSQL's $ takes the end of the text like a character: nothing matches after it.
            raise _unsupported("end of text ($, \\Z) before the end of the pattern", pattern)
        return _Part(_ANCHORS[argument], 3)
    if operator is _constants.AT:
        raise _unsupported(r"word boundaries (\b, \B)", pattern)
    raise _unsupported(_REFUSED.get(operator, str(operator).lower()), pattern)


def _repeat(least: int, most: int, tree: Any, flags: int, pattern: str, *, is_last: bool) -> _Part:
    text, steps = _sequence(tree, flags, pattern, is_last=is_last and most == 1)
    if most is _constants.MAXREPEAT:
        count = {0: "*", 1: "+"}.get(least, f"{{{least},}}")
        return _Part(f"({text}){count}", max(least, 1) * (steps + 2))
    if most == 0:
        return _Part("", 0)
    count = "?" if (least, most) == (0, 1) else f"{{{least},{most}}}"
    return _Part(f"({text}){count}", most * (steps + 2))


def _literal(code: int, flags: int) -> _Part:
    ranges = _with_cases([(code, code)], flags)
    return _Part(_escape(code), 1) if code and ranges == [(code, code)] else _bracket(ranges)


def _class(items: list[tuple[Any, Any]], flags: int) -> _Ranges:
    negated = bool(items) and items[0][0] is _constants.NEGATE
    ranges: _Ranges = []
    for operator, argument in items:
        if operator is _constants.LITERAL:
            ranges += _with_cases([(argument, argument)], flags)
        elif operator is _constants.RANGE:
            ranges += _with_cases([argument], flags)
        elif operator is _constants.CATEGORY:
            ranges += _category(str(argument).removeprefix("CATEGORY_"), bool(flags & re.ASCII))
    return _complement(ranges) if negated else _merged(ranges)


@cache
def _category(name: str, ascii_only: bool) -> _Ranges:
    r"""The code points of \d, \s or \w (or, negated, of \D, \S, \W), as Python sees them."""
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.removeprefix("NOT_")]
    is_member = re.compile(f"\\{letter}", re.ASCII if ascii_only else 0).match
    last = 127 if ascii_only else _LAST
    ranges = _merged([(code, code) for code in range(last + 1) if is_member(chr(code))])
    return _complement(ranges) if name.startswith("NOT_") else ranges


def _with_cases(ranges: _Ranges, flags: int) -> _Ranges:
    """Add every character that differs from one of these only in case, as ``re.IGNORECASE`` has it."""
    if not flags & re.IGNORECASE:
        return ranges
    codes = {code for first, last in ranges for code in range(first, last + 1)}
    for code in tuple(codes):
        codes |= _cases(code, bool(flags & re.ASCII))
    return _merged([(code, code) for code in codes])


def _cases(code: int, ascii_only: bool) -> set[int]:
    """All that Python takes for `code` when it ignores case: what has the same lower case."""
    if ascii_only:
        return {ord(chr(code).lower()), ord(chr(code).upper())} if code < 128 else {code}
    lower = _sre.unicode_tolower(code)
    equal = (lower, *_casefix._EXTRA_CASES.get(lower, ()))
    return {case for lower in equal for case in _by_lower_case().get(lower, [lower])}


@cache
def _by_lower_case() -> dict[int, list[int]]:
    codes = defaultdict(list)
    for code in range(_LAST + 1):
        codes[_sre.unicode_tolower(code)].append(code)
    return {lower: same for lower, same in codes.items() if len(same) > 1}


def _merged(ranges: _Ranges) -> _Ranges:
    merged: _Ranges = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _complement(ranges: _Ranges) -> _Ranges:
    gaps, start = [], 1  # text has no NUL
    for first, last in _merged([*ranges, _SURROGATES]):
        if first > start:
            gaps.append((start, first - 1))
        start = max(start, last + 1)
    if start <= _LAST:
        gaps.append((start, _LAST))
    return gaps


def _bracket(ranges: _Ranges) -> _Part:
    ranges = [(max(first, 1), last) for first, last in ranges if last]  # text has no NUL
    if not ranges:
        return _Part(_NEVER, 1)
    inner = "".join(_escape(a) if a == b else f"{_escape(a)}-{_escape(b)}" for a, b in ranges)
    return _Part(f"[{inner}]", 1 + 2 * len(ranges))


def _escape(code: int) -> str:
    r"""One character as itself or as \uXXXX, which is a literal inside and outside of brackets."""
    character = chr(code)
    return character if code > 0xFFFF or (code < 128 and character.isalnum()) else f"\\u{code:04x}"


def _unsupported(what: str, pattern: str) -> NotSupportedError:
    return NotSupportedError(
        f"libSQL's regular expressions have no {what} (in {pattern!r}). Rewrite the pattern without, or "
        "filter the rows in Python."
    )
