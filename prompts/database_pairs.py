"""Whether two databases can be compared: they are two, and both have the tables of this code."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.migrations.loader import MigrationLoader

# Whose tables are read; migrations of theirs that the code has not are of a newer code.
_OURS = ("prompts", "vectors")


@dataclass(frozen=True, slots=True)
class Database:
    """A database alias, and what people call it, by default the same: messages show the latter."""

    alias: str
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.alias


class MergeProblem(Exception):
    """Why databases cannot be compared or merged. The text is for the user; nothing was changed."""


class SameDatabase(MergeProblem):
    """Both sides are one database."""


class UnfinishedMigrations(MergeProblem):
    """A side has not the tables of this code, or those of a newer one."""


def check_pair(left: Database, right: Database) -> None:
    """Raises ``SameDatabase`` or ``UnfinishedMigrations``."""
    if _place(left.alias) == _place(right.alias):
        raise SameDatabase(f"{left} and {right} are the same database: name two.")
    for database in (left, right):
        _check_tables(database)


def _place(using: str) -> Any:
    """Where a database is, without the token that leads there."""
    target = connections[using].target  # type: ignore[attr-defined]
    if target.is_memory or target.is_remote:
        return using if target.is_memory else (target.url, target.namespace)
    return target.file.resolve()


def _check_tables(database: Database) -> None:
    loader = MigrationLoader(connections[database.alias])
    applied = set(loader.applied_migrations or ())
    if not any(app in _OURS for app, _ in applied):
        raise UnfinishedMigrations(
            f"{database} has no tables of prompts. Run `manage.py migrate` in it, or name another database."
        )
    if missing := sorted(set(loader.graph.nodes) - applied):
        raise UnfinishedMigrations(
            f"{database} lacks the migrations {_names(missing)}. Run `manage.py migrate` in it first."
        )
    if newer := sorted(key for key in applied - set(loader.disk_migrations) if key[0] in _OURS):
        raise UnfinishedMigrations(
            f"{database} has had the migrations {_names(newer)}, which this code does not know. "
            "Update the code."
        )


def _names(keys: list[tuple[str, str]]) -> str:
    return ", ".join(f"{app}.{name}" for app, name in keys)
