"""What a collection says of the metadata of its items: types of fields, which are needed, which are indexed.

    {"lang": {"type": "string", "required": True, "indexed": True}, "tags": {"type": "string[]"}}

A field that is missing or null satisfies any type; one that is required is neither. A datetime is text such
as 2026-05-01 or 2026-05-01T09:30:00Z, which sorts by time as long as all values have one form and zone.

An indexed field has an index on its value in the table of items. Where every stored row satisfies the schema,
such a value is no list, so that a filter may compare it as it is (see `vectors.filters`), and the index can
serve that. Expressions cannot be bound: a path is written into SQL, hence the narrow form of a field's name.
"""
# ruff: noqa: S608 - names of fields have passed FIELD_NAME, all else comes from primary keys and numbers

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from vectors.errors import InvalidCollection, InvalidItem, shown
from vectors.limits import MAX_INDEXED_FIELDS, MAX_SCHEMA_FIELDS
from vectors.sql import Statement, Tables

FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
TYPES: Final = ("string", "integer", "number", "boolean", "datetime", "string[]")
_JSON_TYPES: Final = {
    "string": ("text",),
    "datetime": ("text",),
    "integer": ("integer",),
    "number": ("integer", "real"),
    "boolean": ("true", "false"),
    "string[]": ("array",),
}
# Zones as far as SQLite reads them.
_DATETIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?)?", re.ASCII
)
_DATE_GLOB: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
_WANTED: Final = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "datetime": "a date, or date and time, such as 2026-05-01T09:30:00Z",
    "string[]": "a list of texts",
}


@dataclass(frozen=True, slots=True)
class Field:
    """`index` is the number of the field's index, 0 where it has none."""

    type: str
    required: bool = False
    index: int = 0

    def allows(self, value: object) -> bool:
        """Does a value, which is not null, have this type?"""
        if self.type == "boolean":
            return isinstance(value, bool)
        if self.type == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if self.type == "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        if self.type == "string[]":
            return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        return isinstance(value, str) and (self.type == "string" or _is_datetime(value))


@dataclass(frozen=True, slots=True)
class MetadataSchema:
    """Fields by name; `strict` refuses all others. The empty schema allows everything."""

    fields: Mapping[str, Field]
    strict: bool = False

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> MetadataSchema:
        """What `as_stored` gave: the value of `Collection.metadata_schema`."""
        fields = value.get("fields", {})
        return cls({name: Field(**one) for name, one in fields.items()}, value.get("strict", False))

    def as_stored(self) -> dict[str, Any]:
        if not self.fields and not self.strict:
            return {}
        fields = {
            name: {"type": one.type, "required": one.required, "index": one.index}
            for name, one in self.fields.items()
        }
        return {"fields": fields, "strict": self.strict}

    def as_given(self) -> dict[str, dict[str, Any]]:
        """The form that `parse` takes."""
        return {
            name: {"type": one.type, "required": one.required, "indexed": bool(one.index)}
            for name, one in self.fields.items()
        }

    def check(self, metadata: Mapping[str, Any]) -> None:
        """Raise InvalidItem, naming the field, where metadata does not satisfy the schema."""
        for name, one in self.fields.items():
            value = metadata.get(name)
            if value is None:
                if one.required:
                    got = "null" if name in metadata else "nothing"
                    raise InvalidItem(f"metadata.{name}", _WANTED[one.type], got)
            elif not one.allows(value):
                raise InvalidItem(
                    f"metadata.{name}", _WANTED[one.type], f"{type(value).__name__} {shown(value)}"
                )
        if self.strict and (unknown := metadata.keys() - self.fields.keys()):
            known = ", ".join(self.fields) or "none, as the schema is strict and empty"
            raise InvalidItem(
                f"metadata.{min(unknown)}", f"one of the fields {known}", "a field that is not in the schema"
            )

    @property
    def indexed(self) -> dict[str, str]:
        """The types of the fields that have an index, by name."""
        return {name: one.type for name, one in self.fields.items() if one.index}

    # -- SQL ---------------------------------------------------------------------------------------------

    def create_indexes(self, tables: Tables, beside: MetadataSchema | None = None) -> list[str]:
        """DDL for the indexes of this schema that another one does not have already."""
        have = _indexes(beside)
        return [
            f"CREATE INDEX {_index(tables, number)} ON {tables.items} ({value_of(name, 'metadata')})"
            for name, number in _indexes(self).items()
            if have.get(name) != number
        ]

    def drop_indexes(self, tables: Tables, beside: MetadataSchema) -> list[str]:
        """DDL that drops the indexes of this schema that another one does not have."""
        keep = _indexes(beside)
        return [
            f"DROP INDEX IF EXISTS {_index(tables, number)}"
            for name, number in _indexes(self).items()
            if keep.get(name) != number
        ]

    def offenders(self, tables: Tables, limit: int) -> Statement | None:
        """Keys of the first stored rows that do not satisfy the schema; None where any row does."""
        conditions = [*self._conditions()]
        if self.strict:
            names = ", ".join(f"'{name}'" for name in self.fields)
            conditions.append(f"EXISTS (SELECT 1 FROM json_each(metadata) AS e WHERE e.key NOT IN ({names}))")
        if not conditions:
            return None
        sql = f"SELECT key FROM {tables.items} WHERE {' OR '.join(conditions)} ORDER BY id LIMIT %s"
        return sql, [limit]

    def _conditions(self) -> Iterator[str]:
        for name, one in self.fields.items():
            kind, value = f"json_type(metadata, '{path_of(name)}')", value_of(name, "metadata")
            allowed = _JSON_TYPES[one.type] + (() if one.required else ("null",))
            yield f"coalesce({kind}, 'null') NOT IN ({', '.join(map(repr, allowed))})"
            if one.type == "string[]":
                elements = f"json_each(metadata, '{path_of(name)}') AS e"
                yield f"({kind} = 'array' AND EXISTS (SELECT 1 FROM {elements} WHERE e.type <> 'text'))"
            elif one.type == "datetime":
                yield f"({kind} = 'text' AND {_is_no_datetime(value)})"


def parse(fields: object, *, strict: bool = False, before: MetadataSchema | None = None) -> MetadataSchema:
    """Fields as a caller gives them; raises InvalidCollection naming the member at fault.

    Indexes that the schema of `before` has keep their numbers.
    """
    if not isinstance(fields, Mapping):
        raise InvalidCollection(
            "metadata_schema", "an object of fields", f"{type(fields).__name__} {shown(fields)}"
        )
    if len(fields) > MAX_SCHEMA_FIELDS:
        raise InvalidCollection("metadata_schema", f"at most {MAX_SCHEMA_FIELDS} fields", f"{len(fields):,}")
    indexed = [name for name, one in fields.items() if isinstance(one, Mapping) and one.get("indexed")]
    if len(indexed) > MAX_INDEXED_FIELDS:
        expected = f"at most {MAX_INDEXED_FIELDS} indexed fields"
        raise InvalidCollection("metadata_schema", expected, f"{len(indexed):,}")
    have = _indexes(before)
    taken = {have[name] for name in indexed if name in have}
    free = (number for number in range(1, 2 * MAX_INDEXED_FIELDS + 2) if number not in taken)
    found: dict[str, Field] = {}
    for name, one in fields.items():
        field = _parse_field(name, one)
        number = (have.get(name) or next(free)) if field.index else 0
        found[name] = Field(field.type, field.required, number)
    return MetadataSchema(found, strict)


def path_of(name: str) -> str:
    """The JSON path of a field, for an SQL literal; raises where a name could be anything but a name."""
    if not FIELD_NAME.fullmatch(name):
        raise InvalidCollection("metadata_schema", "a field name of letters, digits and _", shown(name))
    return f'$."{name}"'


def value_of(name: str, column: str) -> str:
    """The SQL expression that an index of the field is on. It is NULL where the field is missing or null."""
    return f"json_extract({column}, '{path_of(name)}')"


def _is_no_datetime(value: str) -> str:
    """The SQL condition that text is not what `_is_datetime` takes."""
    day = f"substr({value}, 1, 10)"
    # SQLite also reads days past a month's end, the year 0, the hour 24, a small z and more spaces.
    return (
        f"({value} NOT GLOB '{_DATE_GLOB}' OR julianday({value}) IS NULL OR date({day}) IS NOT {day}"
        f" OR {day} < '0001' OR substr({value}, 12, 2) = '24' OR {value} GLOB '*[^-0-9T :.Z+]*'"
        f" OR instr(substr({value}, 12), ' ') OR rtrim({value}) <> {value})"
    )


def _parse_field(name: object, one: object) -> Field:
    if not isinstance(name, str) or not FIELD_NAME.fullmatch(name):
        expected = "names of up to 64 letters, digits and _ that do not begin with a digit"
        raise InvalidCollection("metadata_schema", expected, shown(name))
    at = f"metadata_schema.{name}"
    if not isinstance(one, Mapping):
        raise InvalidCollection(at, "an object with a type", f"{type(one).__name__} {shown(one)}")
    if unknown := [key for key in one if key not in ("type", "required", "indexed")]:
        raise InvalidCollection(at, "the members type, required and indexed", shown(unknown[0]))
    if one.get("type") not in TYPES:
        raise InvalidCollection(f"{at}.type", ", ".join(TYPES), shown(one.get("type")))
    for member in ("required", "indexed"):
        if not isinstance(one.get(member, False), bool):
            raise InvalidCollection(f"{at}.{member}", "true or false", shown(one[member]))
    if one.get("indexed") and one["type"] == "string[]":
        raise InvalidCollection(f"{at}.indexed", "false, as no index serves lists", "true")
    return Field(str(one["type"]), bool(one.get("required")), int(bool(one.get("indexed"))))


def _indexes(schema: MetadataSchema | None) -> dict[str, int]:
    return {name: one.index for name, one in schema.fields.items() if one.index} if schema else {}


def _index(tables: Tables, number: int) -> str:
    return f"vec_{tables.pk}_meta_{int(number)}"


def _is_datetime(value: str) -> bool:
    if not _DATETIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
