"""Bring a file of judgements into the database, all or none, and write them out again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import transaction

from vectors.errors import shown
from vectors.models import Collection
from vectors.progress import track
from vectors.relevance.errors import InvalidJudgement
from vectors.relevance.formats import Line, read_judgements
from vectors.relevance.judging import make_judgement, missing_keys
from vectors.relevance.models import Judgement, JudgementSource
from vectors.rows import in_batches, reading_alias, writing_alias

MAX_JUDGEMENTS: Final = 1_000_000
# What one INSERT takes: a server refuses values of 5 MB, and the text of a query may have 40,000 bytes.
_BATCH_ROWS: Final = 500
_BATCH_BYTES: Final = 2 * 2**20
_UPDATED: Final = ("grade", "source", "created_by", "created_at")


@dataclass(slots=True)
class JudgementReport:
    """What became of a file's judgements.

    `repeated` ones stand in the file more than once, with the same grade. `missing_keys` have no item in the
    collection: they are kept, and no search will find them.
    """

    collection: str
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    queries: int = 0
    missing_keys: int = 0


def import_judgements(
    collection: Collection,
    path: Path,
    topics: Path | None = None,
    *,
    by: str = "",
    quiet: bool = False,
    using: str | None = None,
) -> JudgementReport:
    """Upsert the judgements of a file (see `formats`), all or none: the same query and key get the new grade.

    Raises OSError for the files, and InvalidJudgement naming line and member, also where two lines of the
    file grade the same item differently.
    """
    report = JudgementReport(collection.name)
    lines = _distinct(read_judgements(path, topics), report)
    report.queries = len({line.query for line in lines})
    report.missing_keys = len(missing_keys(collection, {line.key for line in lines}, using=using))
    alias = writing_alias(collection, using)
    sized = ((line, 4 * len(line.query) + 1_000) for line in lines)
    with transaction.atomic(using=alias):
        written = _written(sized, collection, alias, by, report)
        for _ in track(written, f"Importing into {collection.name}", len(lines), quiet=quiet):
            pass
    return report


def export_judgements(collection: Collection, *, using: str | None = None) -> Iterator[str]:
    """All judgements as JSON Lines {"query", "key", "grade"} without line ends, by query and key."""
    rows = Judgement.objects.using(reading_alias(collection, using)).filter(collection_id=collection.pk)
    values = rows.order_by("query_hash", "key").values_list("query", "key", "grade")
    for query, key, grade in values.iterator(chunk_size=_BATCH_ROWS):
        yield json.dumps({"query": query, "key": key, "grade": grade}, ensure_ascii=False)


def _distinct(lines: Iterable[Line], report: JudgementReport) -> list[Line]:
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        before = found.setdefault((line.query, line.key), line)
        if before is line:
            if len(found) > MAX_JUDGEMENTS:
                raise InvalidJudgement(
                    f"line {line.number}", f"at most {MAX_JUDGEMENTS:,} judgements", "more"
                )
        elif before.grade == line.grade:
            report.repeated += 1
        else:
            wanted = f"the grade {before.grade} that line {before.number} gives the same query and key"
            raise InvalidJudgement(f"line {line.number}, grade", wanted, shown(line.grade))
    return list(found.values())


def _written(
    sized: Iterable[tuple[Line, int]], collection: Collection, alias: str, by: str, report: JudgementReport
) -> Iterator[Line]:
    """Write batch after batch, and yield the lines that have been written."""
    for batch in in_batches(sized, size=_BATCH_BYTES, count=_BATCH_ROWS):
        made = [
            make_judgement(collection, line.query, line.key, line.grade, source=JudgementSource.IMPORT, by=by)
            for line in batch
        ]
        _write(made, alias, report)
        yield from batch


def _write(made: list[Judgement], alias: str, report: JudgementReport) -> None:
    rows = Judgement.objects.using(alias)
    hashes, keys = {one.query_hash for one in made}, {one.key for one in made}
    stored = rows.filter(collection_id=made[0].collection_id, query_hash__in=hashes, key__in=keys)
    grades = {(one.query_hash, one.key): one.grade for one in stored.only("query_hash", "key", "grade")}
    changed = []
    for one in made:
        before = grades.get((one.query_hash, one.key))
        if before == one.grade:
            report.unchanged += 1
            continue
        changed.append(one)
        if before is None:
            report.inserted += 1
        else:
            report.updated += 1
    rows.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["collection", "query_hash", "key"],
        update_fields=_UPDATED,
    )
