"""Judge items, take judgements back, and read them as queries to measure with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Final

from django.utils import timezone

from vectors.errors import shown
from vectors.evaluation import Judged
from vectors.limits import MAX_KEY
from vectors.models import Collection
from vectors.relevance import sql
from vectors.relevance.errors import InvalidJudgement
from vectors.relevance.models import MAX_GRADE, Judgement, JudgementSource, Language, hash_query
from vectors.rows import as_json, execute, reading_alias, writing_alias
from vectors.sql import Tables
from vectors.validation import check_text

MAX_QUERY: Final = 10_000
# What one measurement searches for: the first by hash, which is a sample and stays the same.
MAX_QUERIES: Final = 10_000
_MAX_NAME: Final = 254
_BATCH: Final = 500


def check_query(value: object, field: str = "query") -> str:
    """A query that may be judged, without space around it: 1…10,000 characters; raises InvalidJudgement."""
    text = check_text(value, field, minimum=1, maximum=MAX_QUERY, error=InvalidJudgement)
    return text.strip()


def check_key(value: object, field: str = "key") -> str:
    """An item's key, 1…512 characters; raises InvalidJudgement."""
    return check_text(value, field, minimum=1, maximum=MAX_KEY, error=InvalidJudgement)


def check_grade(value: object, field: str = "grade") -> int:
    """An integer from 0 to 30; raises InvalidJudgement."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_GRADE:
        raise InvalidJudgement(field, f"an integer from 0 to {MAX_GRADE}", shown(value))
    return value


def make_judgement(
    collection: Collection, query: str, key: str, grade: int, *, source: str, by: str = ""
) -> Judgement:
    """A judgement that is not saved, of values that have been checked."""
    return Judgement(
        collection_id=collection.pk,
        query=query,
        query_hash=hash_query(query),
        key=key,
        grade=grade,
        source=source,
        language=Language.of(query),
        created_by=by,
    )


def judge(
    collection: Collection,
    query: str,
    key: str,
    grade: int,
    *,
    source: str = JudgementSource.CLICK,
    by: str = "",
    using: str | None = None,
) -> Judgement:
    """Say how well the item `key` answers `query`: 0 not at all, up to 30. The last word counts.

    `source` is "import", "click" or "api", `by` the name of whoever judges, at most 254 characters. There
    need be no item of that key. Raises InvalidJudgement.
    """
    if source not in JudgementSource.values:
        raise InvalidJudgement("source", ", ".join(JudgementSource.values), shown(source))
    by = check_text(by, "by", minimum=0, maximum=_MAX_NAME, error=InvalidJudgement)
    made = make_judgement(
        collection, check_query(query), check_key(key), check_grade(grade), source=source, by=by
    )
    judgement, _ = Judgement.objects.using(writing_alias(collection, using)).update_or_create(
        collection_id=collection.pk,
        query_hash=made.query_hash,
        key=made.key,
        defaults={"grade": grade, "source": source, "created_by": by, "created_at": timezone.now()},
        create_defaults={
            "query": made.query,
            "language": made.language,
            "grade": grade,
            "source": source,
            "created_by": by,
        },
    )
    return judgement


def judgements_of(
    collection: Collection, query: str, keys: Iterable[str], *, using: str | None = None
) -> dict[str, Judgement]:
    """What has been judged of these items for a query, by key; others are left out."""
    rows = Judgement.objects.using(reading_alias(collection, using)).filter(
        collection_id=collection.pk, query_hash=hash_query(check_query(query)), key__in=list(keys)
    )
    return {row.key: row for row in rows}


def take_back(collection: Collection, query: str, key: str, *, by: str, using: str | None = None) -> bool:
    """Forget what `by` judged of the item; False where there is nothing of theirs to forget."""
    rows = Judgement.objects.using(writing_alias(collection, using)).filter(
        collection_id=collection.pk, query_hash=hash_query(check_query(query)), key=check_key(key)
    )
    deleted, _ = rows.filter(created_by=by).delete()
    return deleted > 0


def judged_queries(collection: Collection, *, using: str | None = None) -> list[Judged]:
    """The queries with at least one relevant key, by hash, at most 10,000, each with all of its grades."""
    alias = reading_alias(collection, using)
    rows = Judgement.objects.using(alias).filter(collection_id=collection.pk)
    values = rows.order_by("query_hash", "pk").values_list("query_hash", "query", "key", "grade")
    return list(islice(_grouped(values.iterator(chunk_size=_BATCH)), MAX_QUERIES))


def _grouped(rows: Iterable[tuple[str, str, str, int]]) -> Iterator[Judged]:
    for _, group in groupby(rows, key=lambda row: row[0]):
        judgements = list(group)
        relevant = {key: grade for _, _, key, grade in judgements}
        if any(relevant.values()):
            yield Judged(judgements[0][1], relevant)


def missing_keys(collection: Collection, keys: Iterable[str], *, using: str | None = None) -> set[str]:
    """Which of these keys have no item."""
    alias, tables = reading_alias(collection, using), Tables.of(collection)
    missing = set(keys)
    wanted = sorted(missing)
    for start in range(0, len(wanted), _BATCH):
        rows = execute(alias, sql.keys_there(tables, as_json(wanted[start : start + _BATCH])))
        missing.difference_update(row[0] for row in rows)
    return missing
