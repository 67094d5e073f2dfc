"""Triggers that keep the audit log as it is, whoever writes, with whatever.

No line is ever changed. Lines are deleted only while `audit_pruning` says up to when (`ops.audit.pruning`).
Made after every migration and dropped before it, for SQLite rebuilds tables to change them.
"""

from typing import Final

from django.db import connections

_TABLES: Final = {"audit_entries", "audit_pruning"}
_REASON: Final = "CHECK constraint failed: the audit log is only added to"
_NAMES: Final = ("ops_audit_entries_kept", "ops_audit_entries_not_deleted", "ops_audit_entries_not_replaced")
_REFUSE: Final = f"BEGIN SELECT RAISE(ABORT, '{_REASON}'); END"
_PERMIT: Final = "EXISTS (SELECT 1 FROM audit_pruning WHERE OLD.created_at < before)"
_EXISTS: Final = "EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id)"
_TRIGGERS: Final = (
    f"CREATE TRIGGER {_NAMES[0]} BEFORE UPDATE ON audit_entries {_REFUSE}",
    f"CREATE TRIGGER {_NAMES[1]} BEFORE DELETE ON audit_entries WHEN NOT {_PERMIT} {_REFUSE}",
    # REPLACE deletes without a trigger of deletion. A new line has no id yet.
    f"CREATE TRIGGER {_NAMES[2]} BEFORE INSERT ON audit_entries WHEN {_EXISTS} {_REFUSE}",
)


def drop(using: str) -> None:
    with connections[using].cursor() as cursor:
        for name in _NAMES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def create(using: str) -> None:
    """Make them anew, where the tables are there."""
    drop(using)
    if not set(connections[using].introspection.table_names()) >= _TABLES:
        return
    with connections[using].cursor() as cursor:
        for statement in _TRIGGERS:
            cursor.execute(statement)
