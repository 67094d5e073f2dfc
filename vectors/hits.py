"""What a search gives back, and what it reads to show it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import connections
from django.db.models import Model
from django.db.models.sql import Query

from vectors.search_sql import Shown


@dataclass(slots=True)  # not frozen, which would make it three times as slow
class Hit:
    """One result.

    `distance` (0 is nearest) and `similarity` (1 − cosine distance; None under l2) are None where the search
    had no semantic leg. `score` ranks the hits of this search and compares with no other's: the fused score
    in hybrid mode, BM25 in keyword mode, the negative distance in semantic mode. `ranks` gives the place in
    each leg ("keyword", "semantic"), 1 for the best, None where the leg does not hold the row.

    A search for a model's rows gives each hit its `row`, and leaves the item's own title, text and metadata
    empty, as they would travel twice.
    """

    key: str
    id: int
    distance: float | None
    similarity: float | None
    score: float
    ranks: dict[str, int | None]
    title: str = ""
    text: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    row: Any = None


# What can be shown of an item, and in SQL what stands in for it.
PARTS: Final = ("title", "text", "metadata")
_EMPTY: Final = ("''", "''", "'{}'")

# Title, text, metadata and row of a `Hit`.
Shows = tuple[str, str, dict[str, Any], Any]


class Display(Protocol):
    """What hits show: the columns to read, and the last fields of `Hit` that they become."""

    @property
    def shown(self) -> Shown: ...

    def read(self, columns: Iterable[Sequence[Any]]) -> Iterator[Shows]: ...


class Items:
    """The items themselves, or those of their PARTS that are wanted: others are not read, and stay empty."""

    def __init__(self, parts: Collection[str] = PARTS) -> None:
        self.shown = Shown(
            tuple(f"i.{part}" if part in parts else empty for part, empty in zip(PARTS, _EMPTY, strict=True))
        )

    def read(self, columns: Iterable[Sequence[Any]]) -> Iterator[Shows]:
        for title, text, metadata in columns:
            yield title, text, {} if metadata == "{}" else json.loads(metadata), None


class Rows:
    """The rows of a model whose primary key, as the database holds it, is the item's key.

    `only` names the fields to read beside it; all others are deferred. None stands for all fields. `name` is
    what the table is called in the statement.
    """

    def __init__(
        self, model: type[Model], alias: str, only: Sequence[str] | None = None, *, name: str = "o"
    ) -> None:
        self._model, self._alias = model, alias
        wanted = None if only is None else {model._meta.pk, *map(model._meta.get_field, only)}
        fields = [one for one in model._meta.concrete_fields if wanted is None or one in wanted]
        self._names = [field.attname for field in fields]
        self._columns = [field.get_col(model._meta.db_table) for field in fields]
        quote = connections[alias].ops.quote_name
        table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
        # An item without a row has lost it behind the index's back: no hit.
        self.shown = Shown(
            tuple(f"{name}.{quote(str(field.column))}" for field in fields),
            f"JOIN {table} AS {name} ON {name}.{key} = i.key",
        )

    def read(self, columns: Iterable[Sequence[Any]]) -> Iterator[Shows]:
        for row in self.rows(columns):
            yield "", "", {}, row

    def rows(self, columns: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """Rows as the ORM reads them: each column through the converters of its field and database."""
        compiler = Query(self._model).get_compiler(self._alias)
        for values in compiler.apply_converters(columns, compiler.get_converters(self._columns)):
            yield self._model.from_db(self._alias, self._names, values)
