"""Are the migrations of the code those of the database?"""

from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from ops.rehearsal import pending_migrations

from ..examining import Case
from ..findings import Notes

_SHOWN: Final = 8


def look(notes: Notes, case: Case) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    loader = MigrationLoader(connection)
    if not loader.applied_migrations:
        notes.problem(
            "empty database",
            "no migration has ever run in it",
            "It is new, or the one that held your prompts is lost and this lies in its place.",
            "If there were prompts: `manage.py list_backups`, then `manage.py restore_database FILE`. "
            "Only for an AFN that is new: `manage.py init_db`.",
        )
        return
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    )
    if unknown:
        notes.problem(
            "unknown migrations",
            _listed(unknown),
            "The database was brought on by newer code than this, whose tables this code does not know.",
            "Install the version of AFN that made them, or restore a backup from before: `manage.py "
            "restore_database FILE`.",
        )
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        notes.problem(
            "history",
            str(error),
            "A migration was run before one that it needs, so tables may not be what the code thinks.",
            "Look at `manage.py showmigrations --plan`; the lines of schema below say what differs.",
        )
    if pending := [str(one) for one in pending_migrations()]:
        notes.problem(
            "pending migrations",
            _listed(pending),
            "Pages fail where the code expects tables and columns that are not there yet.",
            "`manage.py rehearse_migrations --apply` tries them on a copy first; or `manage.py init_db`.",
        )
    elif not unknown:
        notes.ok("migrations", "all of the code's, and no others")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
