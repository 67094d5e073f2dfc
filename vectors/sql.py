"""Tables, writing and reading in SQL; searching is in `vectors.search_sql` and `vectors.fusion`.

Values are bound; identifiers come only from a collection's primary key.

Each collection has tables of its own, N being its primary key:

- `vec_N_items`: key, title, text, metadata. Long text comes last: SQLite keeps the head of a row in the
  b-tree page and the rest in a chain of overflow pages, which a filter on metadata then never follows.
- `vec_N_vectors`: the embeddings alone, so that an exact scan reads nothing else.
- `vec_N_fts`: a contentless FTS5 index over text prepared by `vectors.fulltext`.
- `vec_N_blocks`, `vec_N_centroids`, `vec_N_lists`: the index of the embeddings (see `vectors.index`).

**An id stands for one (title, text, embedding) for ever.** Changed content gets a new id (AUTOINCREMENT never
gives out a committed id twice), changed metadata keeps it. So a cache only has to look for greater ids, and a
cached id that is gone finds no row.

Lists travel as one JSON parameter, `json_each(?)`: one statement, hence one round trip, for any number of
rows.
"""
# ruff: noqa: S608 - building SQL is what this module is for; nothing but integers is ever put into it

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from vectors.errors import InvalidCollection, shown

if TYPE_CHECKING:
    from vectors.models import Collection

DISTANCE: Final = {"cosine": "vector_distance_cos", "l2": "vector_distance_l2"}
_LIST: Final = "(SELECT value FROM json_each(%s))"
_INDEXES: Final = "vector_indexes"
# A test of the elements of one metadata field: those of a list, or the value itself. json_each also walks
# into objects, whose members have text for a key: they are not elements.
ANY_ELEMENT: Final = (
    "EXISTS (SELECT 1 FROM json_each(i.metadata, %s) AS e WHERE typeof(e.key) <> 'text' AND ({}))"
)
ATOM_IN: Final = f"e.atom IN {_LIST}"
# The columns of an item that have always the same length: id, hash and times.
_ROW_BYTES: Final = 150
ITEM_COLUMNS: Final = "id, key, title, text, metadata, content_hash, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on an item `i` with its parameters (see `vectors.filters`, `vectors.among`).

    `is_served` says that an index leads to the rows that satisfy it.
    """

    sql: str
    params: tuple[Any, ...]
    is_served: bool = False


Statement = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Cte:
    """A common table expression: `head` is its name with its columns.

    One that is read more than once is to be worked out once; what is read once SQLite had better merge.
    """

    head: str
    sql: str
    params: Sequence[Any] = ()
    is_read_once: bool = False


def with_ctes(ctes: Iterable[Cte], statement: Statement) -> Statement:
    """The statement after its common table expressions."""
    parts = list(ctes)
    sql, params = statement
    heads = ",\n".join(
        f"{part.head} AS {'' if part.is_read_once else 'MATERIALIZED '}({part.sql})" for part in parts
    )
    return f"WITH {heads}\n{sql}", [value for part in parts for value in part.params] + params


def id_list(ids: Iterable[int] | npt.NDArray[np.int64]) -> str:
    """Ids as the JSON list that `json_each(?)` takes apart again."""
    # How Python writes a list of integers is JSON, and quicker.
    return str(ids.tolist() if isinstance(ids, np.ndarray) else [int(one) for one in ids])


@dataclass(frozen=True, slots=True)
class Tables:
    """The statements of one collection. `Statement` is (SQL with %s, parameters)."""

    pk: int
    dimensions: int
    metric: str

    def __post_init__(self) -> None:
        # Identifiers cannot be bound, so this is the gate they pass: plain integers and a known metric.
        if type(self.pk) is not int or type(self.dimensions) is not int:
            raise InvalidCollection("collection", "a saved collection", f"primary key {shown(self.pk)}")
        if self.metric not in DISTANCE:
            raise InvalidCollection("metric", " or ".join(DISTANCE), shown(self.metric))

    @classmethod
    def of(cls, collection: Collection) -> Tables:
        return cls(collection.pk, collection.dimensions, collection.metric)

    @property
    def items(self) -> str:
        return f"vec_{self.pk}_items"

    @property
    def vectors(self) -> str:
        return f"vec_{self.pk}_vectors"

    @property
    def fts(self) -> str:
        return f"vec_{self.pk}_fts"

    @property
    def blocks(self) -> str:
        return f"vec_{self.pk}_blocks"

    @property
    def diskann(self) -> str:
        return f"vec_{self.pk}_diskann"

    @property
    def centroids(self) -> str:
        return f"vec_{self.pk}_centroids"

    @property
    def lists(self) -> str:
        return f"vec_{self.pk}_lists"

    # -- schema ------------------------------------------------------------------------------------------

    def create(self) -> list[str]:
        """DDL. Leftovers under a primary key that is new belong to nobody (a flushed test database): drop."""
        return [
            *self.drop(),
            f"""CREATE TABLE {self.items} (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                key TEXT NOT NULL UNIQUE,
                content_hash TEXT NOT NULL,
                created_at TEXT NOT NULL,
                updated_at TEXT NOT NULL,
                metadata TEXT NOT NULL DEFAULT '{{}}' CHECK (json_type(metadata) = 'object'),
                title TEXT NOT NULL DEFAULT '',
                text TEXT NOT NULL
            )""",
            f"""CREATE TABLE {self.vectors} (
                id INTEGER PRIMARY KEY,
                embedding F32_BLOB({self.dimensions}) NOT NULL
                    CHECK (length(embedding) = {4 * self.dimensions})
            )""",
            f"""CREATE VIRTUAL TABLE {self.fts} USING fts5(
                title, body, content='', contentless_delete=1,
                tokenize='porter unicode61 remove_diacritics 2'
            )""",
            *self.create_index_tables(),
            # Whoever deletes: codes of rows that are gone then count as what they are. One line, as sqld
            # cannot load its own dump of a longer trigger.
            f"CREATE TRIGGER vec_{self.pk}_deleted AFTER DELETE ON {self.items} BEGIN UPDATE {_INDEXES} "
            f"SET deleted = deleted + 1 WHERE collection_id = {self.pk}; END",
        ]

    def create_index_tables(self) -> list[str]:
        """DDL of what can be made anew from the embeddings, where it is missing."""
        return [
            f"""CREATE TABLE IF NOT EXISTS {self.blocks} (
                version INTEGER NOT NULL,
                last_id INTEGER NOT NULL,
                codes BLOB NOT NULL,
                PRIMARY KEY (version, last_id)
            )""",
            f"""CREATE TABLE IF NOT EXISTS {self.centroids} (
                version INTEGER NOT NULL,
                first INTEGER NOT NULL,
                vectors BLOB NOT NULL,
                PRIMARY KEY (version, first)
            )""",
            f"""CREATE TABLE IF NOT EXISTS {self.lists} (
                version INTEGER NOT NULL,
                list INTEGER NOT NULL,
                part INTEGER NOT NULL,
                codes BLOB NOT NULL,
                PRIMARY KEY (version, list, part)
            )""",
        ]

    def drop(self) -> list[str]:
        names = (self.lists, self.centroids, self.blocks, self.fts, self.vectors, self.items)
        return [self.drop_diskann(), *(f"DROP TABLE IF EXISTS {name}" for name in names)]

    def create_diskann(self) -> str:
        """libSQL's own vector index, with neighbours compressed: 5 times the vectors' size, else 40 times."""
        neighbours = "float1bit" if self.metric == "cosine" else "float8"
        options = f"'metric={self.metric}', 'compress_neighbors={neighbours}', 'max_neighbors=64'"
        return f"CREATE INDEX {self.diskann} ON {self.vectors} (libsql_vector_idx(embedding, {options}))"

    def drop_diskann(self) -> str:
        return f"DROP INDEX IF EXISTS {self.diskann}"

    # -- writing -----------------------------------------------------------------------------------------

    def stored(self, keys: str) -> Statement:
        """Rows (key, id, content_hash, metadata, created_at) of a JSON list of keys."""
        return (
            f"SELECT key, id, content_hash, metadata, created_at FROM {self.items} WHERE key IN {_LIST}",
            [keys],
        )

    def insert_items(self, rows: str) -> Statement:
        """From a JSON list of rows in the order of the columns below → (id, key)."""
        return (
            f"""INSERT INTO {self.items} (key, content_hash, created_at, updated_at, metadata, title, text)
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                       value ->> 6
                FROM json_each(%s) WHERE 1 RETURNING id, key""",
            [rows],
        )

    def insert_vectors(self, ids: str, blobs: bytes) -> Statement:
        """One blob of all embeddings end to end, cut up beside a JSON list of their ids."""
        size = 4 * self.dimensions
        return (
            f"""INSERT INTO {self.vectors} (id, embedding)
                SELECT value, substr(%s, 1 + key * {size}, {size}) FROM json_each(%s)""",
            [blobs, ids],
        )

    def insert_fts(self, rows: str) -> Statement:
        """From a JSON list of [id, title, body]."""
        return (
            f"""INSERT INTO {self.fts} (rowid, title, body)
                SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(%s)""",
            [rows],
        )

    def update_metadata(self, rows: str) -> Statement:
        """From a JSON list of [id, metadata, updated_at]."""
        return (
            f"""UPDATE {self.items} SET metadata = new.value ->> 1, updated_at = new.value ->> 2
                FROM json_each(%s) AS new WHERE {self.items}.id = new.value ->> 0""",
            [rows],
        )

    def delete_items(self, keys: str) -> Statement:
        """By a JSON list of keys → (id); the ids then go to `delete_ids`."""
        return f"DELETE FROM {self.items} WHERE key IN {_LIST} RETURNING id", [keys]

    def delete_ids(self, ids: str) -> list[Statement]:
        return [
            (f"DELETE FROM {self.vectors} WHERE id IN {_LIST}", [ids]),
            (f"DELETE FROM {self.fts} WHERE rowid IN {_LIST}", [ids]),
        ]

    # -- reading -----------------------------------------------------------------------------------------

    def count(self) -> Statement:
        return f"SELECT count(*) FROM {self.items}", []

    def items_by_key(self, keys: str) -> Statement:
        return f"SELECT {ITEM_COLUMNS} FROM {self.items} WHERE key IN {_LIST}", [keys]

    def items_after(self, last_id: int, limit: int, size: int) -> Statement:
        """By id, up to `limit` of them and `size` bytes, or a single one that is larger."""
        ids, params = self.fitting("id > %s", [last_id], limit, size)
        return f"SELECT {ITEM_COLUMNS} FROM {self.items} WHERE id IN ({ids}) ORDER BY id", params

    def fitting(
        self, condition: str, params: Sequence[Any], limit: int, size: int, a_row: int = 0
    ) -> Statement:
        """(id) of the first items by id that meet a condition on the columns of items and fit together.

        Up to `limit` and `size` bytes, or a single one that is larger: a server stores up to 5 MB. `a_row` is
        what comes with each. Only the lengths of texts are looked up, not the texts.
        """
        lengths = " + ".join(f"octet_length({column})" for column in ("key", "title", "text", "metadata"))
        return (
            f"""SELECT id FROM (
                    SELECT id, row_number() OVER w AS place, sum(size) OVER w AS total FROM (
                        SELECT id, {lengths} + {a_row + _ROW_BYTES} AS size FROM {self.items}
                        WHERE {condition} ORDER BY id LIMIT %s
                    ) WINDOW w AS (ORDER BY id ROWS UNBOUNDED PRECEDING)
                ) WHERE place = 1 OR total <= %s""",
            [*params, limit, size],
        )

    def vectors_after(self, last_id: int, limit: int) -> Statement:
        return (
            f"SELECT id, embedding FROM {self.vectors} WHERE id > %s ORDER BY id LIMIT %s",
            [last_id, limit],
        )

    def vectors_by_key(self, keys: str) -> Statement:
        return (
            f"""SELECT i.key, v.embedding FROM {self.items} AS i JOIN {self.vectors} AS v ON v.id = i.id
                WHERE i.key IN {_LIST}""",
            [keys],
        )
