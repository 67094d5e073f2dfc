"""What the database itself knows beside the tables, for those who read and write with plain SQL.

* The view ``prompt_embeddings``: one row a prompt, with its vector.
* Triggers that delete (or detach) what belongs to a deleted row, as Django does when it deletes.
* Triggers that count each change of what is served (`prompts.serving.epoch`).
* Triggers that keep the versions of prompts and the log of labels as they are.
* Indexes of the few contents that include others, which Django cannot name (`prompts.dependants`).

All are made after every migration and dropped before it: SQLite refuses to rebuild a table that a view
names, and forgets the triggers of a table that is rebuilt.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connections
from django.db.models import CASCADE, SET_NULL, ManyToOneRel

from vectors.models import Collection
from vectors.sql import Tables

_DROP_VIEW = "DROP VIEW IF EXISTS prompt_embeddings"
_PREFIX = "afn_"
# Columns that are written once, those that are only emptied after that, as where a user is deleted, and what
# whoever changes them is told.
_KEPT = {
    "prompt_versions": (
        (
            "id",
            "prompt_id",
            "version",
            "content",
            "content_hash",
            "template_format",
            "variables",
            "config",
            "message",
        ),
        ("parent_id", "author_id"),
        "a prompt version is immutable",
    ),
    "prompts": (("type",), (), "the type of a prompt is chosen once"),
    "label_splits": (
        ("prompt_id", "label", "arms", "salt", "alpha", "created_at"),
        (),
        "the arms of a split never change",
    ),
    "label_moves": (
        (
            "id",
            "prompt_id",
            "label",
            "from_version",
            "to_version",
            "actor_name",
            "reason",
            "evidence",
            "created_at",
        ),
        ("actor_id", "undoes_id"),
        "the log of labels is only added to",
    ),
}
# Rows whose place no other takes: those that one would replace.
_TAKEN = {
    "prompt_versions": (
        "SELECT 1 FROM prompt_versions AS v "
        "WHERE v.id = NEW.id OR (v.prompt_id = NEW.prompt_id AND v.version = NEW.version)"
    ),
    "prompts": "SELECT 1 FROM prompts AS p WHERE p.id = NEW.id AND p.type IS NOT NEW.type",
    "label_splits": (
        "SELECT 1 FROM label_splits AS s WHERE s.id = NEW.id OR (s.prompt_id = NEW.prompt_id "
        "AND s.label = NEW.label AND s.ended_at IS NULL AND NEW.ended_at IS NULL)"
    ),
    "label_moves": "SELECT 1 FROM label_moves AS m WHERE m.id = NEW.id",
}
# The row may have been flushed away with all others: then it is another generation that begins.
_COUNT = (
    "INSERT INTO registry_epoch (id, number) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET number = registry_epoch.number + 1"
)
# What an answer to an application is made of; of users it is the name.
_SERVED = {
    "prompts": ("INSERT", "UPDATE", "DELETE"),
    "prompt_versions": ("INSERT", "UPDATE", "DELETE"),
    "prompt_labels": ("INSERT", "UPDATE", "DELETE"),
    "label_splits": ("INSERT", "UPDATE", "DELETE"),
    "users": ("UPDATE OF username",),
}
# Tables whose contents include others, and what such a content is found for.
_INCLUDING = {"prompts": "name", "prompt_versions": "id"}


def drop(using: str = "default") -> None:
    """Remove all of it, so that a migration may rebuild any table, or all rows be deleted."""
    with connections[using].cursor() as cursor:
        cursor.execute(_DROP_VIEW)
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{_PREFIX}*"]
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {connections[using].ops.quote_name(name)}")
        for table in _INCLUDING:
            cursor.execute(f"DROP INDEX IF EXISTS {_PREFIX}{table}_including")


def create(using: str = "default") -> None:
    """Make all of it anew."""
    drop(using)
    create_view(Collection.objects.using(using).filter(name="prompts").first(), using)
    with connections[using].cursor() as cursor:
        for statement in (*map(_keep, _KEPT), *map(_keep_from_replacing, _TAKEN), *_keep_log()):
            cursor.execute(statement)
        for table, column in _INCLUDING.items():
            cursor.execute(
                f"CREATE INDEX {_PREFIX}{table}_including ON {table} ({column}) "
                "WHERE instr(content, '@@@') > 0"
            )
        cursor.execute(_COUNT)
        for statement in (*_counts(), *_cascades()):
            cursor.execute(statement)


def create_where_migrated(using: str = "default") -> None:
    """Make them anew where the last of our apps' tables are; without them the migrations were not all run."""
    last = {"prompt_embedding_records", "registry_epoch", "trace_scores", "vector_collections"}
    if last <= set(connections[using].introspection.table_names()):
        create(using)


def create_view(collection: Collection | None, using: str = "default") -> None:
    """Make the view over `collection`, or one without rows where there is none yet."""
    if collection is None:
        vector, joins = "CAST(NULL AS BLOB)", "WHERE 0"
    else:
        tables = Tables.of(collection)
        vector = "vectors.embedding"
        joins = (
            f"JOIN {tables.items} AS items ON items.key = records.prompt_id "
            f"JOIN {tables.vectors} AS vectors ON vectors.id = items.id "
            f"WHERE records.collection_id = {int(collection.pk)}"
        )
    with connections[using].cursor() as cursor:
        cursor.execute(_DROP_VIEW)
        cursor.execute(
            f"CREATE VIEW prompt_embeddings AS "  # noqa: S608 - names made from a primary key
            f"SELECT records.id, records.prompt_id, {vector} AS embedding, records.model, records.created_at "
            f"FROM prompt_embedding_records AS records {joins}"
        )


def _counts() -> Iterator[str]:
    """For each table and kind of change a trigger that counts the registry's epoch up."""
    for table, events in _SERVED.items():
        for event in events:
            name = f"{_PREFIX}{table}_counts_{event.partition(' ')[0].lower()}"
            yield f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {_COUNT}; END"


def _keep(table: str) -> str:
    """A trigger that refuses to change the columns, all of them named here."""
    columns, emptied, reason = _KEPT[table]
    changes = [f"OLD.{column} IS NOT NEW.{column}" for column in columns]
    changes += [f"OLD.{one} IS NOT NEW.{one} AND NEW.{one} IS NOT NULL" for one in emptied]
    return (
        f"CREATE TRIGGER {_PREFIX}{table}_kept BEFORE UPDATE OF {', '.join((*columns, *emptied))} ON {table} "
        f"WHEN {' OR '.join(changes)} {_refuse(reason)}"
    )


def _keep_from_replacing(table: str) -> str:
    """REPLACE changes a row without a trigger of changes or deletions."""
    return (
        f"CREATE TRIGGER {_PREFIX}{table}_not_replaced BEFORE INSERT ON {table} "
        f"WHEN EXISTS ({_TAKEN[table]}) {_refuse(_KEPT[table][-1])}"
    )


def _keep_log() -> Iterator[str]:
    """Lines of the log go with their prompt alone, once that is gone."""
    is_kept = "EXISTS (SELECT 1 FROM prompts WHERE id = OLD.prompt_id)"
    refuse = _refuse(_KEPT["label_moves"][-1])
    name = f"{_PREFIX}label_moves_not_deleted"
    yield f"CREATE TRIGGER {name} BEFORE DELETE ON label_moves WHEN {is_kept} {refuse}"
    delete = "DELETE FROM label_moves WHERE prompt_id = OLD.id"
    yield f"CREATE TRIGGER {_PREFIX}prompts_log_deleted AFTER DELETE ON prompts BEGIN {delete}; END"


def _refuse(reason: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: {reason}'); END"


def _cascades() -> Iterator[str]:
    """For each of our tables a trigger that does on deletion what the models' ``on_delete`` says."""
    for model in apps.get_app_config("prompts").get_models():
        table = model._meta.db_table
        actions = []
        for relation in model._meta.get_fields(include_hidden=True):
            if not isinstance(relation, ManyToOneRel):
                continue
            other, column = relation.field.model._meta.db_table, relation.field.column
            if relation.on_delete is CASCADE:
                actions.append(f'DELETE FROM "{other}" WHERE "{column}" = OLD.id;')  # noqa: S608
            elif relation.on_delete is SET_NULL:
                actions.append(f'UPDATE "{other}" SET "{column}" = NULL WHERE "{column}" = OLD.id;')  # noqa: S608
        if actions:
            body = " ".join(sorted(actions))
            yield f'CREATE TRIGGER {_PREFIX}{table}_deleted BEFORE DELETE ON "{table}" BEGIN {body} END'
