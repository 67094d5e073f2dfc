"""Filters on metadata, from JSON to a bound SQL condition.

    {"status": "active"}                              the short form of {"status": {"eq": "active"}}
    {"score": {"gte": 0.5, "lt": 0.9}, "lang": "ja"}  all must hold
    {"author.name": {"in": ["Aoi", "Ben"]}}           a dot leads into an object
    {"or": [{"tags": "chat"}, {"not": {"lang": {"eq": null}}}]}

Operators: eq ne gt gte lt lte in, and, or, not. A list in the metadata matches if any of its elements does.
Types count: 1 is neither "1" nor true; 1 is 1.0. `gt` … `lte` compare numbers with numbers, and text with
text by code point (ISO dates sort rightly). `ne` is the negation of `eq`, so it also holds where the field is
missing. `null` is a field that is there and null. What is not in this language is refused, never ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from vectors.errors import InvalidFilter, shown
from vectors.limits import MAX_FILTER_CLAUSES, MAX_FILTER_DEPTH, MAX_FILTER_IN, MAX_FILTER_STRING
from vectors.sql import ANY_ELEMENT, ATOM_IN, Where
from vectors.validation import check_text

_COMPARISONS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPERATORS: Final = (*_COMPARISONS, "ne", "in")
_GROUPS: Final = ("and", "or", "not")
_TEXT: Final = "e.type = 'text'"
_NUMBER: Final = "e.type IN ('integer', 'real')"


def compile_filter(condition: object) -> Where:
    """The condition as SQL on `i.metadata`, every value and path bound; raises InvalidFilter.

    At most 8 levels deep, 100 comparisons, 1,000 values an `in`.
    """
    compiler = _Compiler()
    sql = compiler.group(condition, "filter", 1)
    return Where(sql, tuple(compiler.params))


class _Compiler:
    def __init__(self) -> None:
        self.params: list[object] = []
        self.clauses = 0

    def group(self, condition: object, at: str, depth: int) -> str:
        """An object: all of its fields and groups must hold."""
        if depth > MAX_FILTER_DEPTH:
            raise InvalidFilter(at, f"at most {MAX_FILTER_DEPTH} levels", "a deeper condition")
        if not isinstance(condition, Mapping) or not condition:
            raise InvalidFilter(at, "an object with at least one condition", _kind(condition))
        return _all([self._member(name, inner, at, depth) for name, inner in condition.items()])

    def _member(self, name: object, inner: object, at: str, depth: int) -> str:
        if not isinstance(name, str):
            raise InvalidFilter(at, "a field name", _kind(name))
        here = f"{at}.{name}"
        if name == "not":
            return f"NOT {self.group(inner, here, depth + 1)}"
        if name in _GROUPS:
            if not isinstance(inner, list | tuple) or not inner:
                raise InvalidFilter(here, "a list of conditions", _kind(inner))
            parts = [self.group(one, f"{here}[{number}]", depth + 1) for number, one in enumerate(inner)]
            return _all(parts) if name == "and" else f"({' OR '.join(parts)})"
        return self._field(name, inner, here)

    def _field(self, name: str, inner: object, at: str) -> str:
        path = _json_path(name, at)
        if not isinstance(inner, Mapping):
            return self._compare("eq", inner, path, at)
        if not inner:
            raise InvalidFilter(at, "a value or an operator", "an empty object")
        return _all([self._operator(name, value, path, at) for name, value in inner.items()])

    def _operator(self, name: object, value: object, path: str, at: str) -> str:
        here = f"{at}.{name}"
        if name == "ne":
            return f"NOT {self._compare('eq', value, path, here)}"
        if name == "in":
            return self._in(value, path, here)
        if name in _COMPARISONS:
            return self._compare(str(name), value, path, here)
        raise InvalidFilter(here, "one of the operators " + ", ".join(_OPERATORS), shown(name))

    def _compare(self, operator: str, value: object, path: str, at: str) -> str:
        self._count(at)
        self.params.append(path)
        if operator == "eq" and (value is None or isinstance(value, bool)):
            return ANY_ELEMENT.format(f"e.type = '{json.dumps(value)}'")
        is_text = _check_value(value, at, ordered=operator != "eq")
        self.params.append(value)
        return ANY_ELEMENT.format(f"{_TEXT if is_text else _NUMBER} AND e.atom {_COMPARISONS[operator]} %s")

    def _in(self, values: object, path: str, at: str) -> str:
        self._count(at)
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= MAX_FILTER_IN:
            got = f"{len(values)} values" if isinstance(values, list | tuple) else _kind(values)
            raise InvalidFilter(at, f"a list of 1 to {MAX_FILTER_IN:,} values", got)
        texts: list[Any] = []
        numbers: list[Any] = []
        kinds: set[str] = set()
        for number, value in enumerate(values):
            if value is None or isinstance(value, bool):
                kinds.add(f"'{json.dumps(value)}'")
            else:
                (texts if _check_value(value, f"{at}[{number}]", ordered=False) else numbers).append(value)
        self.params.append(path)
        parts = [f"e.type IN ({', '.join(sorted(kinds))})"] if kinds else []
        for kind, listed in ((_TEXT, texts), (_NUMBER, numbers)):
            if listed:
                parts.append(f"{kind} AND {ATOM_IN}")
                self.params.append(json.dumps(listed, ensure_ascii=False))
        return ANY_ELEMENT.format(f"({' OR '.join(parts)})")

    def _count(self, at: str) -> None:
        self.clauses += 1
        if self.clauses > MAX_FILTER_CLAUSES:
            raise InvalidFilter(at, f"at most {MAX_FILTER_CLAUSES} comparisons", "more")


def _all(parts: list[str]) -> str:
    return f"({' AND '.join(parts)})"


def _check_value(value: object, at: str, *, ordered: bool) -> bool:
    """Is the value text (else it is a number)? Raises InvalidFilter for anything else."""
    if isinstance(value, str):
        check_text(value, at, minimum=0, maximum=MAX_FILTER_STRING, error=InvalidFilter)
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        expected = "text or a number" if ordered else "text, a number, true, false or null"
        raise InvalidFilter(at, expected, _kind(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFilter(at, "a finite number", shown(value))
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidFilter(at, "an integer of 64 bits", shown(value))
    return False


def _json_path(name: str, at: str) -> str:
    """`a.b` as the JSON path `$."a"."b"`, which takes the names literally."""
    check_text(name, at, minimum=1, maximum=MAX_FILTER_STRING, error=InvalidFilter)
    parts = name.split(".")
    if not all(parts) or '"' in name or "\\" in name:
        raise InvalidFilter(at, 'a field name without ", \\ and empty parts', shown(name))
    return "$" + "".join(f'."{part}"' for part in parts)


def _kind(value: object) -> str:
    return f"{type(value).__name__} {shown(value)}"
