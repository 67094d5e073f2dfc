"""Begin the change of an embedding model, switch, go back, and end it.

The new space is a collection of its own under a hidden name (see `catalogue.HIDDEN`), with tables, ids, index
and caches that it shares with nobody: nothing of what holds for a collection has an exception. A switch
exchanges the names of both, and what belongs to the name: strategy, keyword weights, and all rows that refer
to the collection. Who searches by name is told by the next answer (see `vectors.known`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections, models, router, transaction
from django.utils import timezone

from vectors.catalogue import get_collection
from vectors.embedders import Embedder, get_embedder
from vectors.errors import CollectionNotFound, shown
from vectors.limits import MAX_NAME
from vectors.migrating import sql
from vectors.migrating.errors import InvalidMigration, MigrationBusy
from vectors.migrating.hashes import forget_old_embeddings
from vectors.migrating.leases import ended, is_held
from vectors.migrating.models import EmbeddingMigration
from vectors.migrating.signals import switched
from vectors.models import Collection, Index
from vectors.rows import execute
from vectors.sql import Tables

# What stays with the name when two collections exchange theirs.
_OF_THE_NAME: Final = ("strategy", "keyword_weight", "keyword_weight_cjk", "created_at")
# What stays with the embeddings.
_OF_THE_SPACE: Final = (Index, EmbeddingMigration)


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for: this collection in the embeddings of this embedder, which has that name."""

    collection: Collection
    name: str
    embedder: Embedder


def named(name: str, using: str | None = None) -> Collection:
    """The collection as it is written to; raises CollectionNotFound, for a hidden one too."""
    if "/" in name:
        raise CollectionNotFound("collection", "the name of a collection", shown(name))
    return get_collection(name, using=using or router.db_for_write(Collection))


def find(collection: Collection) -> EmbeddingMigration | None:
    """The migration of this collection, with both of its spaces."""
    rows = EmbeddingMigration.objects.using(collection._state.db).select_related("live", "spare")
    return rows.filter(live=collection).first()


def get(collection: Collection) -> EmbeddingMigration:
    """The same; raises InvalidMigration where there is none."""
    migration = find(collection)
    if migration is None:
        raise InvalidMigration(
            "collection", "one that is being migrated", shown(collection.name), "Start with --embedder."
        )
    return migration


def plan(collection: Collection, embedder: str, model: str = "", dimensions: int | None = None) -> Change:
    """Check that the collection may be embedded so; nothing is written.

    Raises InvalidMigration, MigrationBusy where it is being migrated to another embedder, or EmbedderError.
    """
    chosen = get_embedder(embedder, model=model, dimensions=dimensions)
    wanted = (embedder, chosen.model, chosen.dimensions)
    if not collection.embedder:
        raise InvalidMigration(
            "collection",
            "one that an embedder made, which can embed its texts anew",
            f"{shown(collection.name)} with embeddings of its callers' own",
            "Make another collection and write the new embeddings there.",
        )
    if wanted == space_of(collection):
        raise InvalidMigration("embedder", "another one than the collection has", _described(wanted))
    migration = find(collection)
    if migration is not None and wanted != space_of(migration.spare):
        raise MigrationBusy(
            "embedder",
            f"{_described(space_of(migration.spare))}, to which {collection.name!r} is being migrated",
            _described(wanted),
            "End that migration first, with --drop.",
        )
    return Change(collection, embedder, chosen)


def start(change: Change, estimate: dict[str, Any]) -> EmbeddingMigration:
    """The migration, begun if it is not: from now on, writes go to both spaces."""
    alias = str(change.collection._state.db)
    with transaction.atomic(using=alias):
        collection = Collection.objects.using(alias).filter(pk=change.collection.pk).first()
        if collection is None:
            raise CollectionNotFound("collection", "one that exists", shown(change.collection.name))
        if EmbeddingMigration.objects.using(alias).filter(spare=collection).exists():
            raise ended()  # it was switched since the collection was read
        plan(collection, change.name, change.embedder.model, change.embedder.dimensions)
        if migration := find(collection):
            return migration
        spare = Collection(
            name=f"{collection.name[: MAX_NAME - 9]}/{secrets.token_hex(4)}",
            embedder=change.name,
            model=change.embedder.model,
            dimensions=change.embedder.dimensions,
            metric=collection.metric,
            strategy=collection.strategy,
            keyword_weight=collection.keyword_weight,
            keyword_weight_cjk=collection.keyword_weight_cjk,
            metadata_schema=collection.metadata_schema,
        )
        spare.save(using=alias)
        return EmbeddingMigration.objects.using(alias).create(live=collection, spare=spare, estimate=estimate)


def count_lacking(migration: EmbeddingMigration) -> int:
    """How many items the spare space lacks or has otherwise."""
    statement = sql.count_lacking(Tables.of(migration.live), Tables.of(migration.spare))
    return int(execute(_alias(migration), statement)[0][0])


def switch(migration: EmbeddingMigration, *, force: bool = False) -> None:
    """Have the new space take the collection's name, in one transaction; the old one is kept current.

    Raises InvalidMigration where it has been done, and without `force` where the verdict is missing or
    against it, or rows are missing.
    """
    if migration.is_switched:
        raise InvalidMigration("switch", "a migration that is not switched yet", "one that is")
    if not force:
        if not migration.verdict:
            raise InvalidMigration("switch", "a verdict", "none", "Ask for it with --verdict, or --force.")
        if migration.verdict["advice"] == "stay":
            raise InvalidMigration("switch", "a verdict in favour", migration.verdict["text"], "Or --force.")
    _exchange(migration, force=force)


def roll_back(migration: EmbeddingMigration, *, force: bool = False) -> None:
    """Have the old space take its name back; the new one is kept current again.

    Raises InvalidMigration where nothing was switched, and without `force` where the old space lacks rows.
    """
    if not migration.is_switched:
        raise InvalidMigration("rollback", "a migration that was switched", "one that was not")
    _exchange(migration, force=force)


def drop(migration: EmbeddingMigration) -> None:
    """End the migration: the space that is not searched goes, with all that only it holds.

    Raises MigrationBusy where the spaces have changed their roles since the migration was read.
    """
    alias = _alias(migration)
    if migration.is_switched:
        forget_old_embeddings(_as_it_is(migration), alias)
    with transaction.atomic(using=alias):
        _as_it_is(migration).delete()  # else what is searched by now might go


def state_of(migration: EmbeddingMigration) -> dict[str, Any]:
    """Where the migration stands, for people and programs."""
    old, new = old_and_new(migration)
    alias = _alias(migration)
    rows = {name: int(execute(alias, Tables.of(one).count())[0][0]) for name, one in _roles(migration)}
    held = is_held(migration.filler, migration.filler_at)
    return {
        "collection": migration.live.name,
        "old": dict(zip(("embedder", "model", "dimensions"), space_of(old), strict=True)),
        "new": dict(zip(("embedder", "model", "dimensions"), space_of(new), strict=True)),
        "live": "new" if migration.is_switched else "old",
        "rows": rows["live"],
        "rows_missing": count_lacking(migration),
        "filled_by": migration.filler.rpartition(" ")[0] if held else None,
        "started_at": migration.started_at.isoformat(),
        "switched_at": migration.switched_at.isoformat() if migration.switched_at else None,
        "estimate": migration.estimate,
        "verdict": migration.verdict or None,
    }


def old_and_new(migration: EmbeddingMigration) -> tuple[Collection, Collection]:
    """Both spaces, whichever is live."""
    live, spare = migration.live, migration.spare
    return (spare, live) if migration.is_switched else (live, spare)


def space_of(collection: Collection) -> tuple[str, str, int]:
    """Embedder, model and dimensions."""
    return collection.embedder, collection.model, collection.dimensions


def _exchange(migration: EmbeddingMigration, *, force: bool) -> None:
    if not force:
        _check_complete(migration)  # mostly found here, before anybody has to wait
    alias = _alias(migration)
    with transaction.atomic(using=alias):
        now = _as_it_is(migration)
        if not force:
            _check_complete(now)
        live, spare = now.live, now.spare
        for relation in _references(alias):
            referring = relation.related_model._base_manager.using(alias)
            name = relation.field.name
            referring.filter(**{name: spare}).delete()  # of who held the spare one for live
            referring.filter(**{name: live}).update(**{name: spare})
        collections = Collection.objects.using(alias)
        settings = {name: getattr(live, name) for name in _OF_THE_NAME}
        # Neither can take the other's name first.
        collections.filter(pk=live.pk).update(name=f"/{secrets.token_hex(16)}")
        collections.filter(pk=spare.pk).update(name=live.name, updated_at=timezone.now(), **settings)
        collections.filter(pk=live.pk).update(name=spare.name)
        EmbeddingMigration.objects.using(alias).filter(pk=now.pk).update(
            live=spare,
            spare=live,
            is_switched=not now.is_switched,
            switched_at=None if now.is_switched else timezone.now(),
            filler="",
            filler_at=None,
        )
        switched.send(EmbeddingMigration, collection=collections.get(pk=spare.pk), using=alias)
    migration.refresh_from_db(using=alias)


def _as_it_is(migration: EmbeddingMigration) -> EmbeddingMigration:
    """The migration as the database holds it; raises MigrationBusy where it or the roles have changed."""
    rows = EmbeddingMigration.objects.using(_alias(migration)).select_related("live", "spare")
    now = rows.filter(pk=migration.pk, live=migration.live_id, spare=migration.spare_id).first()
    if now is None:
        raise ended()
    return now


def _check_complete(migration: EmbeddingMigration) -> None:
    if missing := count_lacking(migration):
        raise InvalidMigration(
            "switch", "all rows in both spaces", f"{missing:,} missing", "Fill them with --start, or --force."
        )


def _references(alias: str) -> Iterator[Any]:
    """Relations whose rows refer to a collection by its primary key, and mean whichever has its name."""
    tables = set(connections[alias].introspection.table_names())
    for relation in Collection._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or relation.related_model in _OF_THE_SPACE:
            continue
        if relation.related_model._meta.db_table in tables:  # an app may be in another database
            yield relation


def _roles(migration: EmbeddingMigration) -> Iterator[tuple[str, Collection]]:
    yield "live", migration.live
    yield "spare", migration.spare


def _alias(migration: EmbeddingMigration) -> str:
    return str(migration._state.db)


def _described(space: tuple[str, str, int]) -> str:
    embedder, model, dimensions = space
    return f"{embedder} ({model}, {dimensions} dimensions)"
