"""The pairs of databases: one stock sqlite3, one libSQL, the same rows in both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from .models import MODELS
from .rows import moments, numbers, texts

ENGINE = os.environ.get("AFN_DIFFERENTIAL_ENGINE", "afn_project.libsql")


@dataclass(frozen=True)
class Pair:
    """Two aliases with equal content."""

    stock: str
    libsql: str


@contextmanager
def open_pair(folder: Path, time_zone: str | None = None) -> Iterator[Pair]:
    """Make both databases in `folder`, their datetimes stored in `time_zone` (None: UTC), and fill them."""
    suffix = (time_zone or "utc").rpartition("/")[2].lower()
    pair = Pair(f"stock_{suffix}", f"libsql_{suffix}")
    add_alias(pair.stock, "django.db.backends.sqlite3", folder, time_zone)
    add_alias(pair.libsql, ENGINE, folder, time_zone)
    try:
        for alias in (pair.stock, pair.libsql):
            fill(alias, time_zone)
        yield pair
    finally:
        for alias in (pair.stock, pair.libsql):
            connections[alias].close()
            del connections[alias]
            del connections.settings[alias]


def add_alias(alias: str, engine: str, folder: Path, time_zone: str | None) -> None:
    """Add a database to Django's for as long as the tests need it."""
    name = folder / f"{alias}.db"
    connections.settings[alias] = {"ENGINE": engine, "NAME": str(name), "TIME_ZONE": time_zone}
    connections.configure_settings(connections.settings)


def fill(alias: str, time_zone: str | None) -> None:
    """Create the tables and the rows."""
    with connections[alias].schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    for rows in (moments(time_zone), texts(), numbers()):
        type(rows[0]).objects.using(alias).bulk_create(rows)
