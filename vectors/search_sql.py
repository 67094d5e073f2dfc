"""The one statement of a search, so that it is one round trip to a server. Values are bound.

Its common table expressions, in order, of which a search with one leg has fewer:

    keyword(id, bm25)                the best rows by BM25
    nearest(id, distance)            the nearest rows, as a strategy finds them
    found(id, distance, bm25)        both, the keyword rows with their exact distance
    best(id, …, score)               with ranks and scores, see `vectors.fusion`

Preparing it is a good part of its time, hence no more of them than the search needs, and none at all where
rows were picked by id and nothing else is asked for (`Picked`).

One row of the answer, the header, says what the database holds as the collection and its index, and what the
strategy counted; the others are hits. All parts see the same state of the database.
"""
# ruff: noqa: S608 - building SQL is what this module is for; identifiers come from models and primary keys

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from vectors.fusion import by_bm25, by_distance, fused
from vectors.index.state import Seen
from vectors.known import FIELDS
from vectors.models import Collection, Index
from vectors.sql import DISTANCE, Cte, Statement, Tables, Where, with_ctes

# BM25 weight of a word in the title relative to one in the body.
_TITLE_WEIGHT: Final = "2.0"
_KEYWORD: Final = "keyword(id, bm25)"
# A damaged embedding, zero or not finite, is at no distance, which SQLite would take for the least.
_NEAREST_FIRST: Final = "distance NULLS LAST"
_NEAREST: Final = "nearest(id, distance)"
# Columns of a hit before those that show it.
HIT_COLUMNS: Final = ("id", "key", "distance", "score", "keyword_rank", "semantic_rank")
_OF_BEST: Final = ("b.id", "i.key", "b.distance", "b.score", "b.keyword_rank", "b.semantic_rank")

# What the collection and its index are, as a text each: nothing is taken apart that is as it was.
_HEADER: Final = (
    f"""(SELECT json_array({", ".join(f'"{field}"' for field in FIELDS)})
         FROM "{Collection._meta.db_table}" WHERE id = %s)""",
    f"""(SELECT json_array({", ".join(Seen._fields)})
         FROM "{Index._meta.db_table}" WHERE collection_id = %s)""",
)


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keyword leg of a search: an FTS5 expression and how many of its best rows take part."""

    match: str
    limit: int


class Picked(NamedTuple):
    """The nearest of the rows whose ids are in the JSON list `ids`, or greater than `after`."""

    ids: str
    after: int


class Leg(NamedTuple):
    """A strategy's part: expressions of which the last is `nearest`, and numbers that it wants to know.

    `counts` may be columns of `counted`, a table expression with one row. A plain search that needs no counts
    has `picked` in place of all that.
    """

    ctes: tuple[Cte, ...] = ()
    counts: tuple[str, ...] = ()
    counted: str = "(SELECT 1)"
    picked: Picked | None = None


class Shown(NamedTuple):
    """What is read of a hit beside its ranks: columns of the item `i`, or of what is joined to it."""

    columns: tuple[str, ...]
    join: str = ""


class Answer(NamedTuple):
    """The collection's `known.FIELDS` as JSON (None where it is gone), and the hits, best first.

    `seen` is what the database holds as the collection's index; `counts` are those of `Leg`, none where it
    asks for none. A hit has HIT_COLUMNS, then those that show it.
    """

    collection: str | None
    seen: Seen
    counts: Sequence[int]
    hits: list[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class SearchStatement:
    """A search in SQL, by `keywords`, by `vector` as `leg` looks for it, or by both, fused by `score`.

    `vector`, `leg` and `score` are None where there is nothing of the kind; `k` and `leg_rows` are numbers of
    rows, of the answer and of each leg that is fused.
    """

    tables: Tables
    keywords: Keywords | None
    where: Where | None
    vector: bytes | None
    leg: Leg | None
    score: Statement | None
    leg_rows: int
    k: int
    shown: Shown

    def statement(self) -> Statement:
        picked = self.leg.picked if self.leg else None
        return with_ctes(self._ctes(), self._rows()) if picked is None else self._short(picked)

    def read(self, rows: Sequence[Sequence[Any]]) -> Answer:
        """Take the rows of `statement` apart."""
        _, collection, index, *counts = next(row for row in rows if not row[0])
        hits = [row[1:] for row in rows if row[0] and row[4] is not None]
        # Sorted here, as SQLite would sort their text too.
        hits.sort(key=_by_score)
        return Answer(collection, Seen.of(index), counts[: len(self._counts)], hits)

    def _short(self, picked: Picked) -> Statement:
        """The same in half the time to prepare."""
        vectors = self.tables.vectors
        hit = ("n.id", "i.key", "n.distance", "-n.distance", "NULL", "NULL", *self.shown.columns)
        return (
            f"""SELECT {_padded(("0", *_HEADER), 1 + len(hit))}
                UNION ALL
                SELECT 1, {", ".join(hit)}
                FROM (SELECT v.id, {distance(self.tables)} AS distance
                    FROM (SELECT value AS id FROM json_each(%s)
                          UNION ALL SELECT id FROM {vectors} WHERE id > %s) AS e
                    CROSS JOIN {vectors} AS v ON v.id = e.id ORDER BY {_NEAREST_FIRST}, 1 LIMIT %s) AS n
                CROSS JOIN {self.tables.items} AS i ON i.id = n.id""",
            [self.tables.pk, self.tables.pk, self.vector, picked.ids, picked.after, self.k],
        )

    @property
    def _counts(self) -> Sequence[str]:
        return self.leg.counts if self.leg else ("(SELECT count(*) FROM keyword)",)

    def _ctes(self) -> Iterator[Cte]:
        if self.keywords:
            yield keyword_rows(self.tables, self.keywords, self.where)
        elif self.leg is None:
            yield Cte(_KEYWORD, "SELECT NULL, NULL WHERE 0")  # no word in the query
        if self.leg is None:
            yield by_bm25()
            return
        yield from self.leg.ctes
        if self.score is None:
            yield by_distance()
            return
        yield self._found()
        yield from fused(self.score, leg=self.leg_rows, k=self.k)

    def _found(self) -> Cte:
        return Cte(
            "found(id, distance, bm25)",
            f"""SELECT id, distance, NULL FROM nearest WHERE id NOT IN (SELECT id FROM keyword)
                UNION ALL
                SELECT k.id, {distance(self.tables)}, k.bm25
                FROM keyword AS k CROSS JOIN {self.tables.vectors} AS v ON v.id = k.id""",
            [self.vector],
        )

    def _rows(self) -> Statement:
        header = ("0", *_HEADER, *self._counts)
        hit = ("1", *_OF_BEST, *self.shown.columns)
        width = max(len(header), len(hit))
        counted = self.leg.counted if self.leg else "(SELECT 1)"
        return (
            f"""SELECT {_padded(header, width)} FROM {counted}
                UNION ALL
                SELECT {_padded(hit, width)}
                FROM best AS b CROSS JOIN {self.tables.items} AS i ON i.id = b.id {self.shown.join}""",
            [self.tables.pk, self.tables.pk],
        )


def _by_score(hit: Sequence[Any]) -> tuple[float, float, int]:
    return -hit[3], hit[2] or 0.0, hit[0]


def _padded(columns: Sequence[str], width: int) -> str:
    return ", ".join([*columns, *["NULL"] * (width - len(columns))])


def keyword_rows(tables: Tables, keywords: Keywords, where: Where | None) -> Cte:
    """The best `limit` rows by BM25, which is positive here, larger being better."""
    condition, params = _condition(where)
    return Cte(
        _KEYWORD,
        f"""SELECT {tables.fts}.rowid AS id, -bm25({tables.fts}, {_TITLE_WEIGHT}, 1.0) AS bm25
            FROM {tables.fts} {_items(tables, where, f"{tables.fts}.rowid", "CROSS")}
            WHERE {tables.fts} MATCH %s AND {condition} ORDER BY bm25 DESC, {tables.fts}.rowid LIMIT %s""",
        [keywords.match, *params, keywords.limit],
    )


def exact_leg(tables: Tables, vector: bytes, limit: int, where: Where | None) -> Leg:
    """The `limit` nearest of all rows. Counts: rows looked at, and those of them that satisfy `where`."""
    rows = f"(SELECT count(*) FROM {tables.items})"
    condition, params = _condition(where)
    measured = f"""SELECT v.id, {distance(tables)} AS distance FROM {tables.vectors} AS v
                   {_items(tables, where, "v.id")} WHERE {condition}"""
    bound = [vector, *params]
    if where is None:
        nearest = Cte(_NEAREST, f"{measured} ORDER BY {_NEAREST_FIRST}, v.id LIMIT %s", [*bound, limit])
        return Leg((nearest,), (rows, rows))
    pool = Cte("pool(id, distance)", measured, bound)
    matching = "(SELECT count(*) FROM pool)"
    # An index leads to the matching rows, and counting all would take longer than that.
    return Leg((pool, _nearest_of_pool(limit)), (matching if where.is_served else rows, matching))


def candidate_leg(tables: Tables, vector: bytes, limit: int, where: Where | None, picked: Picked) -> Leg:
    """The `limit` nearest of the rows that were picked.

    Ids without a row simply vanish, so that a deletion is seen at once. Counts: the rows of the list that
    exist and satisfy `where`; the rows after that do; those of both.
    """
    condition, params = _condition(where)
    measured = f"SELECT v.id, {distance(tables)}"
    # CROSS JOIN pins the order: the few candidates first, then their metadata.
    items = _items(tables, where, "v.id", "CROSS")
    return Leg(
        (
            Cte(
                "pool(id, distance, is_new)",
                f"""{measured}, 0 FROM json_each(%s) AS e CROSS JOIN {tables.vectors} AS v ON v.id = e.value
                        {items} WHERE {condition}
                    UNION ALL
                    {measured}, 1 FROM {tables.vectors} AS v {items} WHERE v.id > %s AND {condition}""",
                [vector, picked.ids, *params, vector, picked.after, *params],
            ),
            _nearest_of_pool(limit),
        ),
        ("n.listed", "n.later"),
        "(SELECT total(is_new = 0) AS listed, total(is_new) AS later FROM pool) AS n",
    )


def diskann_leg(tables: Tables, vector: bytes, limit: int, where: Where | None, count: int) -> Leg:
    """The `limit` nearest of the `count` rows that libSQL's own index finds; counts those that match `where`.

    Never ask it for 0 rows: that crashes the process.
    """
    condition, params = _condition(where)
    pool = Cte(
        "pool(id, distance)",
        f"""SELECT v.id, {distance(tables)}
            FROM vector_top_k('{tables.diskann}', %s, %s) AS e CROSS JOIN {tables.vectors} AS v ON v.id = e.id
                {_items(tables, where, "v.id", "CROSS")} WHERE {condition}""",
        [vector, vector, max(1, count), *params],
    )
    return Leg((pool, _nearest_of_pool(limit)), ("(SELECT count(*) FROM pool)", "0"))


def _nearest_of_pool(limit: int) -> Cte:
    sql = f"SELECT id, distance FROM pool ORDER BY {_NEAREST_FIRST}, id LIMIT %s"
    return Cte(_NEAREST, sql, [limit], is_read_once=True)


def distance(tables: Tables) -> str:
    """From the row `v` to a vector that is bound."""
    return f"{DISTANCE[tables.metric]}(v.embedding, %s)"


def _items(tables: Tables, where: Where | None, on: str, kind: str = "") -> str:
    return f"{kind} JOIN {tables.items} AS i ON i.id = {on}" if where else ""


def _condition(where: Where | None) -> Statement:
    return (where.sql, list(where.params)) if where else ("1", [])
