"""Filters on metadata, from JSON to a bound SQL condition.

    {"status": "active"}                              the short form of {"status": {"eq": "active"}}
    {"score": {"gte": 0.5, "lt": 0.9}, "lang": "ja"}  all must hold
    {"author.name": {"in": ["Aoi", "Ben"]}}           a dot leads into an object
    {"or": [{"tags": "chat"}, {"not": {"lang": {"eq": null}}}]}

Operators: eq ne gt gte lt lte in, and, or, not. A list in the metadata matches if any of its elements does.
Types count: 1 is neither "1" nor true; 1 is 1.0. `gt` … `lte` compare numbers with numbers, and text with
text by code point (ISO dates sort rightly). `ne` is the negation of `eq`, so it also holds where the field is
missing. `null` is a field that is there and null. What is not in this language is refused, never ignored.

A field with an index (see `vectors.metadata_schema`) is never a list, so it is compared as it is, in a form
that the index serves and that means the same: the value is NULL where the field is missing or null, and no
comparison may then be NULL too, as its negation would be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vectors.errors import InvalidFilter, shown
from vectors.limits import MAX_FILTER_CLAUSES, MAX_FILTER_DEPTH, MAX_FILTER_IN, MAX_FILTER_STRING
from vectors.metadata_schema import MetadataSchema, value_of
from vectors.sql import ANY_ELEMENT, ATOM_IN, Where
from vectors.validation import check_text

if TYPE_CHECKING:
    from vectors.models import Collection

_COMPARISONS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPERATORS: Final = (*_COMPARISONS, "ne", "in")
_GROUPS: Final = ("and", "or", "not")
_LIST: Final = "(SELECT value FROM json_each(%s))"
_TEXT: Final = "e.type = 'text'"
_NUMBER: Final = "e.type IN ('integer', 'real')"
_KIND_OF: Final = {
    "string": "text",
    "datetime": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
}


def where_for(collection: Collection, condition: object) -> Where | None:
    """`compile_filter` for the rows of a collection; None for None."""
    if condition is None:
        return None
    stored = collection.metadata_schema
    return compile_filter(condition, MetadataSchema.stored(stored).indexed if stored else None)


def compile_filter(condition: object, indexed: Mapping[str, str] | None = None) -> Where:
    """The condition as SQL on `i.metadata`, every value bound; raises InvalidFilter.

    At most 8 levels deep, 100 comparisons, 1,000 values an `in`. `indexed` gives the types of the fields that
    have an index, by name; of all others the path is bound as well.
    """
    compiler = _Compiler(indexed or {})
    part = compiler.group(condition, "filter", 1)
    return Where(part.sql, tuple(compiler.params), part.is_served)


class _Part(NamedTuple):
    """A condition in SQL, and whether an index leads to the rows that satisfy it."""

    sql: str
    is_served: bool = False


class _Compiler:
    def __init__(self, indexed: Mapping[str, str]) -> None:
        self.indexed = indexed
        self.params: list[object] = []
        self.clauses = 0

    def group(self, condition: object, at: str, depth: int) -> _Part:
        """An object: all of its fields and groups must hold."""
        if depth > MAX_FILTER_DEPTH:
            raise InvalidFilter(at, f"at most {MAX_FILTER_DEPTH} levels", "a deeper condition")
        if not isinstance(condition, Mapping) or not condition:
            raise InvalidFilter(at, "an object with at least one condition", _kind(condition))
        return _all([self._member(name, inner, at, depth) for name, inner in condition.items()])

    def _member(self, name: object, inner: object, at: str, depth: int) -> _Part:
        if not isinstance(name, str):
            raise InvalidFilter(at, "a field name", _kind(name))
        here = f"{at}.{name}"
        if name == "not":
            return _not(self.group(inner, here, depth + 1))
        if name in _GROUPS:
            if not isinstance(inner, list | tuple) or not inner:
                raise InvalidFilter(here, "a list of conditions", _kind(inner))
            parts = [self.group(one, f"{here}[{number}]", depth + 1) for number, one in enumerate(inner)]
            return _all(parts) if name == "and" else _any(parts)
        return self._field(name, inner, here)

    def _field(self, name: str, inner: object, at: str) -> _Part:
        field = _Field(json_path(name, at), name, self.indexed.get(name, ""))
        if not isinstance(inner, Mapping):
            return self._compare("eq", inner, field, at)
        if not inner:
            raise InvalidFilter(at, "a value or an operator", "an empty object")
        return _all([self._operator(name, value, field, at) for name, value in inner.items()])

    def _operator(self, name: object, value: object, field: _Field, at: str) -> _Part:
        here = f"{at}.{name}"
        if name == "ne":
            return _not(self._compare("eq", value, field, here))
        if name == "in":
            return self._in(value, field, here)
        if name in _COMPARISONS:
            return self._compare(str(name), value, field, here)
        raise InvalidFilter(here, "one of the operators " + ", ".join(_OPERATORS), shown(name))

    def _compare(self, operator: str, value: object, field: _Field, at: str) -> _Part:
        self._count(at)
        if operator == "eq" and (value is None or isinstance(value, bool)):
            if isinstance(value, bool) and field.has_index_on("boolean"):
                return _Part(f"{field.value} IS {int(value)}", is_served=True)
            self.params.append(field.path)
            return _Part(ANY_ELEMENT.format(f"e.type = '{json.dumps(value)}'"))
        is_text = _check_value(value, at, ordered=operator != "eq")
        if field.has_index_on("text" if is_text else "number"):
            self.params.append(value)
            sign = _COMPARISONS[operator]
            # NULL IS 'x' is false; NULL < 'x' is NULL.
            compared = f"{field.value} IS %s" if sign == "=" else _not_null(field, f"{field.value} {sign} %s")
            return _Part(compared, is_served=True)
        self.params += [field.path, value]
        kind = _TEXT if is_text else _NUMBER
        return _Part(ANY_ELEMENT.format(f"{kind} AND e.atom {_COMPARISONS[operator]} %s"))

    def _in(self, values: object, field: _Field, at: str) -> _Part:
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
        listed = texts if field.has_index_on("text") else numbers if field.has_index_on("number") else []
        if listed and "'null'" not in kinds:
            # Values of another type than the field's match nothing.
            self.params.append(json.dumps(listed, ensure_ascii=False))
            return _Part(_not_null(field, f"{field.value} IN {_LIST}"), is_served=True)
        self.params.append(field.path)
        parts = [f"e.type IN ({', '.join(sorted(kinds))})"] if kinds else []
        for kind, listed in ((_TEXT, texts), (_NUMBER, numbers)):
            if listed:
                parts.append(f"{kind} AND {ATOM_IN}")
                self.params.append(json.dumps(listed, ensure_ascii=False))
        return _Part(ANY_ELEMENT.format(f"({' OR '.join(parts)})"))

    def _count(self, at: str) -> None:
        self.clauses += 1
        if self.clauses > MAX_FILTER_CLAUSES:
            raise InvalidFilter(at, f"at most {MAX_FILTER_CLAUSES} comparisons", "more")


@dataclass(frozen=True, slots=True)
class _Field:
    """`path` leads to it; `type` is that of the schema where the field has an index, else empty."""

    path: str
    name: str
    type: str

    def has_index_on(self, kind: str) -> bool:
        return _KIND_OF.get(self.type) == kind

    @property
    def value(self) -> str:
        return value_of(self.name, "i.metadata")


def _not_null(field: _Field, comparison: str) -> str:
    return f"({field.value} IS NOT NULL AND {comparison})"


def _all(parts: list[_Part]) -> _Part:
    return _Part(f"({' AND '.join(part.sql for part in parts)})", any(part.is_served for part in parts))


def _any(parts: list[_Part]) -> _Part:
    return _Part(f"({' OR '.join(part.sql for part in parts)})", all(part.is_served for part in parts))


def _not(part: _Part) -> _Part:
    return _Part(f"NOT {part.sql}")


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


def json_path(name: object, at: str) -> str:
    """`a.b` as the JSON path `$."a"."b"`, which takes the names literally."""
    name = check_text(name, at, minimum=1, maximum=MAX_FILTER_STRING, error=InvalidFilter)
    parts = name.split(".")
    if not all(parts) or '"' in name or "\\" in name:
        raise InvalidFilter(at, 'a field name without ", \\ and empty parts', shown(name))
    return "$" + "".join(f'."{part}"' for part in parts)


def _kind(value: object) -> str:
    return f"{type(value).__name__} {shown(value)}"
