"""Measure AFN itself: each part in a process of its own, on a database of its own in a temporary folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final, TypedDict

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from vectors.benchmarking import measuring
from vectors.benchmarking.measuring import Matrix
from vectors.catalogue import create_collection, get_collection
from vectors.items import Item
from vectors.models import Collection, StrategyName
from vectors.progress import track
from vectors.search import search
from vectors.sql import Tables
from vectors.writing import upsert

DATABASE_FILE: Final = "afn.db"
_ALIAS: Final = "vectors-benchmark"
_NAME: Final = "benchmark"
_BATCH: Final = 1_000
# What a search by one of these needs is built when all rows are there.
_BUILT: Final = (StrategyName.AUTO, StrategyName.IVF, StrategyName.DISKANN)


class Part(TypedDict):
    """What a process is to do. `data` has the rows and queries, `database` the database file."""

    part: str
    data: str
    database: str
    strategy: str
    k: int
    quiet: bool


def run_part(part: Part) -> dict[str, Any]:
    """Load the rows, build what a strategy needs, or serve searches; the figures of it."""
    _use(Path(part["database"]))
    data = Path(part["data"])
    try:
        if part["part"] == "load":
            return _load(data, quiet=part["quiet"])
        if part["part"] == "prepare":
            return _prepare(get_collection(_NAME, using=_ALIAS), part["strategy"])
        return _serve(data, part["strategy"], part["k"])
    finally:
        connections[_ALIAS].close()


def needs_preparing(strategy: str) -> bool:
    """Whether something has to be built for it once the rows are there."""
    return strategy in _BUILT


def _use(file: Path) -> None:
    """The database of the benchmark, a file: never one that the settings name."""
    settings.DEBUG = False  # else each statement is timed and kept
    connections.settings[_ALIAS] = {**connections.settings["default"], "NAME": str(file), "OPTIONS": {}}


def _load(data: Path, *, quiet: bool) -> dict[str, Any]:
    """Make the tables and write all rows, with their text and full text, as anybody would."""
    call_command("migrate", "vectors", database=_ALIAS, verbosity=0)
    rows_file = data / measuring.ROWS_FILE
    rows, dims = np.load(rows_file, mmap_mode="r").shape
    collection = create_collection(
        _NAME, embedder="", dimensions=dims, metric="cosine", strategy="auto", using=_ALIAS
    )
    chunks = track(
        measuring.read_chunks(rows_file, _BATCH),
        "AFN: writing rows (thousands)",
        -(-rows // _BATCH),
        quiet=quiet,
    )
    started = time.perf_counter()
    for first, chunk in chunks:
        items = [_item(first + at, vector) for at, vector in enumerate(chunk)]
        upsert(collection, items, using=_ALIAS)
    seconds = time.perf_counter() - started
    return {"build_s": seconds, "peak_mb": measuring.peak_mb(), **_sizes(collection)}


def _prepare(collection: Collection, strategy: str) -> dict[str, Any]:
    """Build what the strategy needs; nothing for those that find it made by the writes."""
    started = time.perf_counter()
    if needs_preparing(strategy):
        from vectors.index.training import rebuild

        rebuild(collection, strategy=strategy, using=_ALIAS)
    seconds = time.perf_counter() - started
    return {"build_s": seconds, "peak_mb": measuring.peak_mb(), **_sizes(collection)}


def _serve(data: Path, strategy: str, k: int) -> dict[str, Any]:
    """Search in a process that has done nothing else, then insert."""
    queries: Matrix = np.load(data / measuring.QUERIES_FILE)
    rows = len(np.load(data / measuring.ROWS_FILE, mmap_mode="r"))
    plans: list[dict[str, Any]] = []

    def find(query: Matrix) -> Sequence[int]:
        result = search(_NAME, vector=query, k=k, mode="semantic", strategy=strategy, using=_ALIAS)
        plans.append(result.plan)
        return [int(hit.key) for hit in result.hits]

    before = measuring.resident_mb()
    way = measuring.search_all(find, queries)
    serving = measuring.resident_mb() - before
    counted = plans[-len(way["times_ms"]) :]
    way |= {
        "strategy": strategy,
        "used": dict(Counter(plan["strategy"] for plan in counted)),
        "scanned": round(fmean(plan["scanned"] for plan in counted), 1),
        "reranked": round(fmean(plan["reranked"] for plan in counted), 1),
    }
    collection = get_collection(_NAME, using=_ALIAS)
    inserts = measuring.try_inserts(
        lambda number, vector: upsert(collection, [_item(number, vector)], using=_ALIAS),
        find,
        rows,
        measuring.new_vectors(queries),
    )
    return {"ways": [way], "serving_rss_mb": serving, **inserts, "peak_mb": measuring.peak_mb()}


def _item(number: int, vector: Matrix) -> Item:
    return Item(str(number), f"row {number}", vector=vector)


def _sizes(collection: Collection) -> dict[str, int]:
    """Bytes of the tables that a search by meaning reads, and of the whole database.

    Left out of the former: text, metadata, and full text.
    """
    tables = Tables.of(collection)
    own = {tables.vectors, tables.blocks, tables.centroids, tables.lists}
    with connections[_ALIAS].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()
        cursor.execute("SELECT name, tbl_name FROM sqlite_schema")
        table_of = dict(cursor.fetchall())
        cursor.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
        sizes = dict(cursor.fetchall())
    searched = sum(
        size
        for name, size in sizes.items()
        # libSQL's own index is a table named after it.
        if table_of.get(name) in own or name.startswith((tables.diskann, "libsql_vector"))
    )
    file = Path(connections[_ALIAS].settings_dict["NAME"])
    whole = sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())
    return {"disk_bytes": searched, "file_bytes": whole}
