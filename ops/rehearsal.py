"""A rehearsal of the pending migrations on a fork of the live database, and what becomes of its data.

Tables of the apps that are migrated may change, and how is reported; losing rows or a whole table there, and
any change elsewhere, is a problem unless it was announced.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration

from vectors import reading
from vectors.catalogue import visible_collections
from vectors.errors import VectorError
from vectors.fulltext import match_expression
from vectors.limits import MAX_QUERY
from vectors.search import search

from .backups.jobs import upload_soon
from .backups.making import back_up
from .environments.base import EnvironmentProblem, Provider
from .environments.opening import opened
from .environments.temporary import clear_left, forked
from .snapshots import Snapshot, TableState, read_schema, take_snapshot, violations

LONG_LOCK = 5.0  # seconds for which other writers wait before they fail, or end the migration on a server
_PROBES = 3
_WITHIN = 100  # how many hits a text has to be among, in a search for itself
Progress = Callable[[str], None]


@dataclass(frozen=True)
class TableReport:
    """``changed``: columns with other values than before; ``problem``: why that is one, else empty."""

    name: str
    rows_before: int | None
    rows_after: int | None
    changed: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass
class Rehearsal:
    """What was done and found. ``migrations``: seconds of each, in which nobody else could write.

    ``schema``: the live database's as it was forked, from each table, index, view or trigger to its SQL.
    """

    pending: list[str]
    schema: dict[str, str] = field(default_factory=dict, repr=False)
    environment: str = ""
    seconds: float = 0.0
    migrations: dict[str, float] = field(default_factory=dict)
    tables: list[TableReport] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    probes: int = 0
    probes_kept: int = 0
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    backup: str = ""
    applied: bool = False

    @property
    def passed(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        locks = self.migrations.values()
        shown = {name: value for name, value in asdict(self).items() if name != "schema"}
        return shown | {
            "lock_seconds": round(sum(locks), 4),
            "longest_lock_seconds": max(locks, default=0.0),
            "passed": self.passed,
        }


def pending_migrations(alias: str = DEFAULT_DB_ALIAS) -> list[Migration]:
    """Those of the code that the database has not had, in their order."""
    executor = MigrationExecutor(connections[alias])
    return [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def rehearse(
    provider: Provider, *, expected: Collection[str] = (), progress: Progress = lambda step: None
) -> Rehearsal:
    """Run the pending migrations on a fork, compare, and delete the fork, whatever happens.

    `expected`: tables that may lose rows or change. Raises ``EnvironmentProblem`` where there is no fork.
    """
    pending = pending_migrations()
    report = Rehearsal([str(migration) for migration in pending])
    report.warnings += clear_left(provider, "rehearsal", progress)
    if not pending:
        return report
    with forked(provider, progress, report.warnings) as fork, opened(provider, fork) as alias:
        report.environment = fork
        _rehearse_on(alias, report, pending, expected, progress)
    return report


def apply(provider: Provider, report: Rehearsal, *, progress: Progress = lambda step: None) -> None:
    """Run what was rehearsed on the live database, after a backup. Raises ``EnvironmentProblem``."""
    if not report.passed:
        raise EnvironmentProblem("The rehearsal found problems, so that nothing was applied.")
    if frozen := provider.get(provider.current).frozen:
        raise EnvironmentProblem(
            f"{provider.current} is frozen ({frozen}): nothing was applied. Run `manage.py environments "
            f"unfreeze {provider.current}`, then rehearse again."
        )
    _check_unchanged(report)
    progress(f"Backing up {provider.current}")
    report.backup = str(back_up(provider).path)
    progress(f"As it is now, it is in {report.backup}")
    known = set(violations(DEFAULT_DB_ALIAS))
    _check_unchanged(report)  # a backup may take long
    progress("Migrating the live database")
    report.applied = _migrate(DEFAULT_DB_ALIAS, report, progress)
    upload_soon()  # not before: the table of jobs may be among what was migrated
    if not report.applied:
        return
    progress("Checking constraints")
    report.violations = [found for found in violations(DEFAULT_DB_ALIAS) if found not in known]
    report.problems += report.violations


def _check_unchanged(report: Rehearsal) -> None:
    """Raises ``EnvironmentProblem`` where the live database is no longer what was rehearsed on."""
    now = [str(migration) for migration in pending_migrations()]
    if now != report.pending:
        raise EnvironmentProblem(
            f"Other migrations are pending now ({', '.join(now) or 'none'}): nothing was applied. "
            "Rehearse again."
        )
    schema = read_schema(DEFAULT_DB_ALIAS)
    names = set(schema) | set(report.schema)
    if changed := sorted(name for name in names if schema.get(name) != report.schema.get(name)):
        raise EnvironmentProblem(
            f"Somebody changed the live database since it was forked ({', '.join(changed[:5])}): nothing was "
            "applied. Rehearse again."
        )


def _rehearse_on(
    alias: str, report: Rehearsal, pending: list[Migration], expected: Collection[str], progress: Progress
) -> None:
    progress("Reading what is there")
    report.schema = read_schema(alias)
    before = take_snapshot(alias, progress)
    known = set(violations(alias))
    try:
        lost = set(_lost_texts(alias, Rehearsal([])))
    except (DatabaseError, VectorError):  # tables that the migrations are to bring up to this code
        lost = set()
    progress(f"Running {len(pending)} migrations")
    if not _migrate(alias, report, progress):
        return
    progress("Comparing")
    try:
        after = take_snapshot(alias, progress)
        touched = _tables_of({migration.app_label for migration in pending})
        report.tables = compare(before, after, touched=touched, expected=expected)
        report.problems += [f"{table.name}: {table.problem}" for table in report.tables if table.problem]
        report.violations = [found for found in violations(alias) if found not in known]
        report.problems += report.violations
        report.warnings += [f"It was so before: {found}" for found in sorted(known)]
        _compare_neighbours(report, before, after)
        for text in _lost_texts(alias, report):
            (report.warnings if text in lost else report.problems).append(text)
    except (DatabaseError, VectorError) as error:
        report.problems.append(f"What the migrations made cannot be read: {error}")


def compare(
    before: Snapshot, after: Snapshot, *, touched: Collection[str], expected: Collection[str] = ()
) -> list[TableReport]:
    """One report for each table that differs, by name."""
    names = sorted(set(before.tables) | set(after.tables))
    reports = [
        _compare_table(name, before.tables.get(name), after.tables.get(name), name in touched)
        for name in names
        if before.tables.get(name) != after.tables.get(name)
    ]
    return [
        TableReport(one.name, one.rows_before, one.rows_after, one.changed) if one.name in expected else one
        for one in reports
    ]


def _compare_table(
    name: str, before: TableState | None, after: TableState | None, is_touched: bool
) -> TableReport:
    if before is None or after is None:
        had, has = before.rows if before else None, after.rows if after else None
        problem = f"the table is gone, with {had:,} rows" if has is None else ""
        return TableReport(name, had, has, problem=problem)
    changed = _changed_columns(before, after)
    problem = ""
    if after.rows < before.rows:
        problem = f"{before.rows - after.rows:,} of {before.rows:,} rows are gone"
    elif not is_touched and (changed or after.rows != before.rows):
        where = ", ".join(changed) or "rows"
        problem = f"changed ({where}), though no pending migration is of its app"
    return TableReport(name, before.rows, after.rows, changed, problem)


def _changed_columns(before: TableState, after: TableState) -> list[str]:
    """Columns whose values are no longer there, under their own name or another."""
    kept = set(after.columns.values())
    return [
        name
        for name, value in before.columns.items()
        if after.columns.get(name) != value and (name in after.columns or value not in kept)
    ]


def _tables_of(labels: Collection[str]) -> set[str]:
    """The tables of some apps, as the code has them now."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if model._meta.app_label in labels}


def _compare_neighbours(report: Rehearsal, before: Snapshot, after: Snapshot) -> None:
    for probe, nearest in before.neighbours.items():
        table, column, key = probe
        report.probes += 1
        if after.neighbours.get(probe) == nearest:
            report.probes_kept += 1
        elif table in after.tables:
            report.warnings.append(f"{table}.{column}: the nearest to {key} are others than before")


def _lost_texts(alias: str, report: Rehearsal) -> Iterator[str]:
    """Texts that the product's own search does not find, by their own vector or by their own words."""
    for collection in visible_collections(alias):
        items = list(islice(reading.iterate(collection, batch=_PROBES, using=alias), _PROBES))
        vectors = reading.vectors_by_key(collection, [item.key for item in items], using=alias)
        for item in items:
            probes: dict[str, dict[str, Any]] = {}
            if item.key in vectors:
                probes["semantic"] = {"vector": vectors[item.key]}
            if match_expression(words := item.text[:MAX_QUERY]):
                probes["keyword"] = {"query": words}
            for mode, question in probes.items():
                found = search(collection, **question, mode=mode, k=_WITHIN, using=alias)
                report.probes += 1
                if item.key in {hit.key for hit in found.hits}:
                    report.probes_kept += 1
                else:
                    yield f"Collection {collection.name}: the {mode} search for {item.key} does not find it"


class TimedMigrate(migrate.Command):
    """Django's own command, silent, with the seconds that each migration took."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self.running = ""
        self._started = 0.0

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        if action == "apply_start":
            self.progress(f"Running {migration}")
            self.running, self._started = str(migration), time.monotonic()
        elif action == "apply_success":
            self.seconds[str(migration)] = round(time.monotonic() - self._started, 4)


def _migrate(alias: str, report: Rehearsal, progress: Progress) -> bool:
    """Whether all went through; what failed is a problem in the report."""
    command, started = TimedMigrate(progress), time.monotonic()
    try:
        call_command(command, database=alias, interactive=False, verbosity=0)
    except Exception as error:  # noqa: BLE001 - a migration is anybody's code
        report.problems.append(f"{command.running} failed: {type(error).__name__}: {error}")
        return False
    report.seconds = round(time.monotonic() - started, 4)
    report.migrations = command.seconds
    # A migration is one transaction, which holds the lock for writing from its beginning to its end.
    longest = max(command.seconds.values(), default=0.0)
    if longest > LONG_LOCK:
        report.warnings.append(
            f"One migration held the lock for {longest:.1f} s. Writers wait {LONG_LOCK:g} s, and then fail "
            "or, on a server, end the migration: apply it while nobody writes."
        )
    return True
