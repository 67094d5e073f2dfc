"""Each collection's index: is it there, in step with the rows, and of the version that is used?"""

from typing import Final

from django.db import DEFAULT_DB_ALIAS

from vectors.index import blocks, sql
from vectors.index.state import State, read_state
from vectors.index.training import is_due
from vectors.migrating.leases import is_held
from vectors.migrating.models import EmbeddingMigration
from vectors.models import SCHEMA_VERSION, Collection, StrategyName
from vectors.rows import execute
from vectors.sql import Tables
from vectors.upkeep.verifying import verify

from ..examining import Case
from ..findings import Notes

# Rows that every search measures one by one, as a share of all and in all.
_BEHIND_SHARE, _BEHIND_ROWS = 0.1, 2_000
_SLOWER: Final = "Searches are right, and take longer than they need to."


def look(notes: Notes, case: Case) -> None:
    collections = list(Collection.objects.order_by("name"))
    for collection in collections:
        _look_at_index(notes, case, collection)
    if not collections:
        notes.warn(
            "collections",
            "there is none",
            "Prompts cannot be searched before the first of them is embedded.",
            "`manage.py init_db`, then `manage.py embed_prompts`.",
        )


def _look_at_index(notes: Notes, case: Case, collection: Collection) -> None:
    name, tables = collection.name, Tables.of(collection)
    rebuild = f"`manage.py rebuild_vectors {name}`, while it is used."
    state = read_state(tables, DEFAULT_DB_ALIAS)
    rows, tail = execute(DEFAULT_DB_ALIAS, sql.row_counts(tables, state.last_id))[0]
    if collection.schema_version != SCHEMA_VERSION:
        notes.problem(
            name,
            f"its tables are of version {collection.schema_version}; this code knows {SCHEMA_VERSION}",
            "What it reads there may be something else.",
            "Install the version of AFN that made it, or `manage.py export_items` there and "
            "`import_items` here.",
        )
    elif wrong := _wrong_blocks(tables, state):
        notes.problem(name, wrong, "Searches may miss rows.", f"`manage.py verify_vectors {name} --repair`")
    elif _is_unbuilt(collection, state, rows):
        notes.warn(name, f"{rows:,} rows without an index", _SLOWER, rebuild)
    elif state.version and tail > max(_BEHIND_ROWS, _BEHIND_SHARE * rows):
        notes.warn(name, f"the index is {tail:,} of {rows:,} rows behind", _SLOWER, rebuild)
    elif is_due(state, collection.strategy):
        notes.warn(
            name,
            f"the index would gain by a build: {rows:,} rows, {state.lists_rows:,} in lists, "
            f"{state.deleted:,} gone",
            _SLOWER,
            rebuild,
        )
    else:
        kind = f"index of {state.rows:,} codes" if state.version else "no codes yet"
        kind += ", libSQL's own index" if state.is_diskann else ""
        notes.ok(name, f"{rows:,} rows, {kind}")


def _is_unbuilt(collection: Collection, state: State, rows: int) -> bool:
    is_wanted = collection.strategy != StrategyName.EXACT and rows >= blocks.MIN_ROWS
    return is_wanted and not state.version and not state.is_diskann


def _wrong_blocks(tables: Tables, state: State) -> str:
    """Codes that the index's row speaks of, and that are not there."""
    if not state.version:
        return ""
    statement = f"SELECT count(*) FROM {tables.blocks} WHERE version = %s"  # noqa: S608 - of a primary key
    [(count,)] = execute(DEFAULT_DB_ALIAS, (statement, [state.version]))
    if state.rows and not count:
        return f"the codes of the index's version {state.version} are gone"
    return ""


def look_at_migrations(notes: Notes, case: Case) -> None:
    """Changes of an embedding model that nobody goes on with."""
    going_on = list(EmbeddingMigration.objects.select_related("live", "spare"))
    for one in going_on:
        name = one.live.name
        if one.is_switched:
            notes.ok(
                name, "changed over to another embedding model; the old embeddings are kept to go back to"
            )
        elif is_held(one.filler, one.filler_at):
            notes.ok(name, "is changing over to another embedding model")
        else:
            notes.warn(
                name,
                "a change to another embedding model stands still",
                "Every write goes to both spaces, for as long as it lasts.",
                f"Go on: `manage.py migrate_embeddings {name} --embedder {one.spare.embedder}`; then "
                "--switch, or --drop to give it up.",
            )
    if not going_on:
        notes.ok("migrations", "no change of an embedding model goes on")


def verify_all(notes: Notes, case: Case) -> None:
    """Only where asked for: every embedding is read."""
    if not case.deep:
        return
    for collection in Collection.objects.order_by("name"):
        report = verify(collection, using=DEFAULT_DB_ALIAS)
        found = [*report.findings, *(report.spare.findings if report.spare else ())]
        if found:
            notes.problem(
                collection.name,
                "; ".join(f"{one.count:,} {one.problem}" for one in found)[:300],
                "Searches miss rows, or find what is not theirs.",
                f"`manage.py verify_vectors {collection.name} --repair`",
            )
        else:
            notes.ok(
                collection.name,
                f"{report.rows:,} rows checked, {report.found:,} of {report.asked:,} find themselves",
            )
