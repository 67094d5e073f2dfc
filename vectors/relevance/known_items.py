"""Queries made of the rows themselves, for collections that nobody has judged: each asks for one known row.

A row's title, or else a sentence of its text, becomes the query, and the row is to be found by what is left.
Were the row searched as it stands, any search would find it by the very words of the query, and the keyword
leg would look perfect. So the rows (a sample of at most 2,000) go into a scratch collection without their
titles; a title that opens the text as well is cut off there; a sentence is cut out. Asking with a sentence
for its context is the "inverse cloze task" of Lee, Chang and Toutanova, "Latent retrieval for weakly
supervised open domain question answering" (2019).

What remains is no likeness of what people ask. An author repeats words of the title in the text, which
favours keywords; a sentence is longer than a question and may be a phrase that many rows share, which
favours meaning. On 1,526 English prompts the titles chose a keyword weight of 0.75 and sentences of the same
prompts 0.55, which costs the titles 0.7 points of nDCG; no interval covers that. Copies of a row count as
wrong answers. So these figures rank settings, they do not tell how good a search is, and judgements are
better wherever there are some.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from vectors.catalogue import create_collection
from vectors.embedders import for_collection
from vectors.errors import InvalidQuery
from vectors.evaluation import Judged
from vectors.fulltext import is_mostly_cjk, terms
from vectors.items import Item, StoredItem
from vectors.models import Collection, StrategyName
from vectors.reading import as_item
from vectors.relevance import sql
from vectors.relevance.scratch import scratch_database
from vectors.rows import execute, execute_on_keys, reading_alias
from vectors.sql import Tables
from vectors.writing import upsert

# Changes whenever the queries do: runs of different recipes do not compare.
RECIPE: Final = 1
MAX_ROWS: Final = 2_000
# A sample of a long text: its queries come from there too.
_MAX_TEXT: Final = 20_000
_MAX_QUERY: Final = 300
# Terms (words, or pairs of characters) of a sentence that can stand for a question, and of what must remain.
_MIN_TERMS: Final = 4
_MAX_TERMS: Final = 40
_KEYS_AT_ONCE: Final = 2_000
_ROWS_AT_ONCE: Final = 20
_WRITTEN_AT_ONCE: Final = 500
_SENTENCE_END: Final = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+|\n+")
# What may stand between the start of a text and its title: space, marks of headings, quotes.
_LEAD: Final = " \t\r\n#*>=_-–—:\"'「」『』【】《》"


@dataclass(frozen=True, slots=True)
class KnownItems:
    """Rows to search, and queries of which each has the rows it was made of as its answers."""

    items: list[Item]
    queries: list[Judged]


@contextmanager
def known_items(
    collection: Collection, *, using: str | None = None
) -> Iterator[tuple[Collection, list[Judged]]]:
    """A scratch copy of (a sample of) the collection, and queries for it.

    The sample and the queries depend on keys and texts alone, so they are the same the next time. Raises
    EmbedderError, for a collection without an embedder too, and InvalidQuery where no row gives a query.
    """
    for_collection(collection)  # an embedder that is not there shows before any row is read
    made = collect(collection, using=using)
    if not made.queries:
        raise InvalidQuery("queries", "judgements, or rows with titles or some sentences", "neither")
    with scratch_copy(collection, made.items, using=using) as copied:
        yield copied, made.queries


def collect(collection: Collection, *, using: str | None = None) -> KnownItems:
    """Rows and queries of a collection, of at most 2,000 rows; nothing is embedded yet."""
    return make_known_items(sample(collection, MAX_ROWS, reading_alias(collection, using)))


@contextmanager
def scratch_copy(
    collection: Collection, items: Sequence[Item], *, using: str | None = None
) -> Iterator[Collection]:
    """A collection of these items, searched exactly, gone at the end.

    Embedder, metric and weights are those of `collection`. Raises EmbedderError.
    """
    embedder = for_collection(collection)
    with scratch_database(reading_alias(collection, using)) as scratch:
        copied = create_collection(
            collection.name,
            embedder=collection.embedder,
            model=collection.model,
            dimensions=collection.dimensions,
            metric=collection.metric,
            strategy=StrategyName.EXACT,
            keyword_weight=collection.keyword_weight,
            keyword_weight_cjk=collection.keyword_weight_cjk,
            using=scratch,
        )
        for start in range(0, len(items), _WRITTEN_AT_ONCE):
            upsert(copied, items[start : start + _WRITTEN_AT_ONCE], embedder=embedder, using=scratch)
        yield copied


def sample(collection: Collection, size: int, alias: str) -> list[StoredItem]:
    """At most `size` rows, by the hash of their keys: no kind of key or time of writing is preferred.

    Of a long text only the beginning, of which queries are made.
    """
    keys = heapq.nsmallest(size, _keys(collection, alias), key=_number)
    found: list[StoredItem] = []
    for start in range(0, len(keys), _ROWS_AT_ONCE):
        some = keys[start : start + _ROWS_AT_ONCE]
        rows = execute_on_keys(alias, Tables.of(collection).items_by_key, some)
        found += (replace(one, text=one.text[:_MAX_TEXT]) for one in map(as_item, rows))
    return found


def _keys(collection: Collection, alias: str) -> Iterator[str]:
    tables, last_id = Tables.of(collection), 0
    while rows := execute(alias, sql.keys_after(tables, last_id, _KEYS_AT_ONCE)):
        last_id = rows[-1][0]
        yield from (row[1] for row in rows)


def make_known_items(rows: Iterable[StoredItem]) -> KnownItems:
    """Queries out of rows, and the rows without what the queries took. A row may give none."""
    items: list[Item] = []
    answers: dict[str, dict[str, int]] = {}
    for row in rows:
        query, rest = split_row(row.key, row.title, row.text[:_MAX_TEXT])
        if not rest.strip():
            continue
        items.append(Item(row.key, rest))
        if query:
            answers.setdefault(query, {})[row.key] = 1
    return KnownItems(items, [Judged(query, relevant) for query, relevant in sorted(answers.items())])


def split_row(key: str, title: str, text: str) -> tuple[str, str]:
    """A query, empty where the row gives none, and the text that must be found by it."""
    if terms(title):
        rest = _without_title(title.strip(), text)
        return (title.strip(), rest) if _can_be_found(rest) else ("", rest)
    sentences = [one.strip() for one in _SENTENCE_END.split(text)]
    usable = [one for one in dict.fromkeys(sentences) if _can_be_asked(one)]
    if not usable:
        return "", text
    query = usable[_number(key) % len(usable)]
    rest = text.replace(query, " ")
    return (query, rest) if _can_be_found(rest) else ("", text)


def _without_title(title: str, text: str) -> str:
    """`text` without the title at its start, once or several times, in whatever case."""
    rest = text
    while True:
        start = rest.lstrip(_LEAD)
        end = start[len(title) :]
        # "Cat" does not open "Category"; Japanese and Chinese write no space between words.
        is_word = is_mostly_cjk(title) or not (title[-1].isalnum() and end[:1].isalnum())
        if start[: len(title)].casefold() != title.casefold() or not is_word:
            return rest
        rest = end.lstrip(_LEAD)


def _can_be_asked(sentence: str) -> bool:
    return len(sentence) <= _MAX_QUERY and _MIN_TERMS <= len(terms(sentence)) <= _MAX_TERMS


def _can_be_found(rest: str) -> bool:
    return len(terms(rest)) >= _MIN_TERMS


def _number(key: str) -> int:
    return int.from_bytes(sha256(key.encode()).digest()[:8], "big")
