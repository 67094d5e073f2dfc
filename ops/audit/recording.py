"""Adding a line to the audit log, in the transaction of what it tells of."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.utils import timezone

from .context import origin
from .models import AuditEntry, Source

logger = logging.getLogger(__name__)


def record(
    action: str,
    *,
    kind: str = "",
    key: object = "",
    name: str = "",
    changes: Mapping[str, Any] | None = None,
    actor: tuple[str, str] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """`kind` and `key` are type and id of the object, `actor` id and name where it is not who asks.

    `changes` are as they may be kept (`ops.audit.values`). Of the database that this site works
    on; in others nothing is recorded.
    """
    if using != DEFAULT_DB_ALIAS:
        return
    found = origin()
    if found.source == Source.COMMAND and not _has_table(using):
        return  # it is among the migrations that are being run
    actor_id, actor_name = actor or found.who()
    AuditEntry.objects.using(using).create(
        created_at=timezone.now(),
        action=action[:64],
        object_type=kind[:64],
        object_id=str(key)[:64],
        object_name=name[:255],
        actor_id=actor_id,
        actor_name=actor_name[:255],
        source=found.source,
        address=found.address,
        request_id=found.request_id,
        changes=dict(changes or {}),
    )


def try_record(action: str, **facts: Any) -> None:
    """The same for what must not depend on it, such as a login: into the process's log in any case.

    A database that has just been frozen, or is full, takes no line.
    """
    logger.info("%s: %s", action, facts.get("name") or "without a name")
    with suppress(DatabaseError), transaction.atomic():
        record(action, **facts)


def _has_table(using: str) -> bool:
    connection: Any = connections[using]
    if not getattr(connection, "afn_has_audit_log", False):
        tables = connection.introspection.table_names()
        connection.afn_has_audit_log = AuditEntry._meta.db_table in tables
    return bool(connection.afn_has_audit_log)
