"""What a collection and its index are at, in rows and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import DatabaseError

from vectors.index import sql
from vectors.index.codes import bytes_a_row
from vectors.index.state import State, read_state, while_it_exists
from vectors.models import Collection
from vectors.rows import execute, reading_alias
from vectors.sql import Tables


@dataclass(frozen=True, slots=True)
class ListSizes:
    """Rows of the shortest, the median and the longest list; each row is in two of them."""

    shortest: int
    median: int
    longest: int


@dataclass(frozen=True, slots=True)
class Stats:
    """A collection in figures.

    `tail` rows have no code yet and are measured by every search; `dead` codes are of rows that are gone.
    `sizes` has the bytes of each table, by what it holds, None where the database does not say.
    """

    name: str
    dimensions: int
    metric: str
    strategy: str
    rows: int
    tail: int
    dead: int
    state: State
    lists: ListSizes | None
    sizes: Mapping[str, int] | None

    @property
    def raw_bytes(self) -> int:
        """The embeddings alone."""
        return 4 * self.dimensions * self.rows

    @property
    def index_bytes(self) -> int | None:
        """Embeddings with ids, codes, centroids and lists: what a vector database would hold."""
        if self.sizes is None:
            return None
        return sum(self.sizes[name] for name in ("vectors", "blocks", "lists", "centroids", "diskann"))

    def as_json(self) -> dict[str, Any]:
        sizes = None if self.sizes is None else dict(self.sizes)
        return {
            "collection": self.name,
            "dimensions": self.dimensions,
            "metric": self.metric,
            "strategy": self.strategy,
            "rows": self.rows,
            "tail": self.tail,
            "dead": self.dead,
            "index": {
                "version": self.state.version,
                "codes": self.state.rows,
                "lists": self.state.lists,
                "lists_rows": self.state.lists_rows,
                "diskann": self.state.is_diskann,
                "settings": dict(self.state.settings),
            },
            "list_sizes": None
            if self.lists is None
            else {
                "shortest": self.lists.shortest,
                "median": self.lists.median,
                "longest": self.lists.longest,
            },
            "bytes": sizes,
            "raw_bytes": self.raw_bytes,
            "bytes_over_raw": round(self.index_bytes / self.raw_bytes, 3)
            if self.index_bytes is not None and self.raw_bytes
            else None,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list of collections shows of each: its items, and the bytes of its embeddings and index."""

    rows: int
    bytes: int


def read_figures(collections: Iterable[Collection], alias: str) -> dict[int, Figures]:
    """By primary key, of up to 100 collections of one database, in one statement.

    Counting the items reads an index of their keys alone, some 2 ms for a million of them.
    """
    tables = [Tables.of(one) for one in collections]
    rows = execute(alias, sql.figures(tables)) if tables else []
    return {pk: Figures(count, int(size)) for pk, count, size in rows}


def read_stats(collection: Collection, *, using: str | None = None) -> Stats:
    """Count the rows, codes, lists and bytes of a collection; raises CollectionNotFound where it is gone."""
    alias, tables = reading_alias(collection, using), Tables.of(collection)
    with while_it_exists(collection, alias):
        return _read(collection, tables, alias)


def _read(collection: Collection, tables: Tables, alias: str) -> Stats:
    state = read_state(tables, alias)
    rows, tail = execute(alias, sql.row_counts(tables, state.last_id))[0]
    return Stats(
        name=collection.name,
        dimensions=collection.dimensions,
        metric=collection.metric,
        strategy=collection.strategy,
        rows=rows,
        tail=tail,
        dead=max(0, state.rows - (rows - tail)),
        state=state,
        lists=_list_sizes(tables, alias, state),
        sizes=_sizes(tables, alias),
    )


def _list_sizes(tables: Tables, alias: str, state: State) -> ListSizes | None:
    if not state.lists:
        return None
    lengths = [row[0] for row in execute(alias, sql.list_lengths(tables, state.version))]
    sizes = np.array(lengths or [0]) // bytes_a_row(tables.dimensions)
    return ListSizes(int(sizes.min()), int(np.median(sizes)), int(sizes.max()))


def _sizes(tables: Tables, alias: str) -> dict[str, int] | None:
    kinds = ("items", "vectors", "fts", "blocks", "lists", "centroids", "diskann")
    try:
        rows = execute(alias, sql.sizes(tables))
    except DatabaseError:
        return None  # a server need not have dbstat
    sizes = dict.fromkeys(kinds, 0)
    for name, size in rows:
        # Names are vec_N_kind, or sqlite_autoindex_vec_N_kind_1; a kind may have tables of its own behind it.
        kind = next((kind for kind in kinds if f"vec_{tables.pk}_{kind}" in name), None)
        if kind is not None:
            sizes[kind] += size
    return sizes
