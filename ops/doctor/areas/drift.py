"""Does the database have the tables, indexes and triggers that its migrations have made?"""

import re
import shlex
from typing import Final

from ops.rehearsal import pending_migrations

from ..examining import Case
from ..findings import Notes
from ..schemas import compare, expected_schema, found_schema

_CAUSES: Final = {
    "table": "What is kept in it is gone, and whoever asks for it gets an error.",
    "index": "Queries read the whole table instead, and what has to be unique may not be.",
    "trigger": "What it guards or keeps in step is not any more: histories, counts, cascades.",
    "view": "Whoever reads it with plain SQL gets an error.",
}
# What an index has of the embeddings, and can be made of them again.
_OF_AN_INDEX: Final = re.compile(r"vec_(\d+)_(?:blocks|lists|centroids)")
_SAFE: Final = ("index", "trigger", "view")


def look(notes: Notes, case: Case) -> None:
    if pending_migrations():
        notes.warn(
            "schema",
            "not compared while migrations are pending",
            "It cannot be what the code expects.",
            "Run the migrations, then this again.",
        )
        return
    found = found_schema()
    drift = compare(expected_schema(case.entry), found)
    for name, sql in drift.missing.items():
        kind, _, own = name.partition(" ")
        # An index of a table that is missing comes with it.
        if kind != "table" and f"table {_table_of(sql)}" in drift.missing:
            continue
        notes.problem(f"missing {kind}", own, _CAUSES[kind], _making(kind, own, sql))
    for name in drift.changed:
        kind, _, own = name.partition(" ")
        if kind in _SAFE:
            remedy = f"{run_sql(f'DROP {kind.upper()} {_quoted(own)}')} && {run_sql(drift.changed[name])}"
        else:
            remedy = (
                "Compare both (`--bundle` has what is there). Where nobody knows why: `manage.py "
                "export_prompts FILE`, `manage.py restore_database` of a backup from before."
            )
        notes.problem(
            f"changed {kind}",
            f"{own} is not as its migrations make it",
            "Somebody changed it past the migrations: later migrations may fail on it, or lose it.",
            remedy,
        )
    for name in drift.extra:
        kind, _, own = name.partition(" ")
        notes.warn(
            f"extra {kind}",
            own,
            "No migration has made it. A trigger or a unique index may refuse what AFN writes; a table is "
            "backed up, and never read.",
            f"If nobody needs it: {run_sql(f'DROP {kind.upper()} {_quoted(own)}')}",
        )
    if not (drift.missing or drift.changed or drift.extra):
        notes.ok("schema", f"{len(found):,} tables, indexes, triggers and views, as the migrations make them")


def run_sql(sql: str) -> str:
    """A command that runs a statement by AFN's own engine: other programs can damage its vector indexes."""
    code = f"from django.db import connection; connection.cursor().execute({' '.join(sql.split())!r})"
    return f"manage.py shell -c {shlex.quote(code)}"


def _making(kind: str, name: str, sql: str) -> str:
    if match := _OF_AN_INDEX.fullmatch(name):
        return (
            f"{run_sql(sql)}, then `manage.py rebuild_vectors` of the collection whose number is {match[1]}."
        )
    if kind == "table":
        return (
            "Its rows are in the backups alone: `manage.py list_backups`, `manage.py restore_database "
            f"FILE`. To make it empty, and then run this again for its indexes: {run_sql(sql)}"
        )
    return run_sql(sql)


def _table_of(sql: str) -> str:
    match = re.search(r"\bON\s+[\"`]?(\w+)", sql, re.IGNORECASE)
    return match[1] if match else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
