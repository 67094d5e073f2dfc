"""Keeps the collection ``prompts`` in step with the prompts: one item each, whose key is the prompt's id.

``using`` names the database whose prompts and index are meant, by default the one that is written to.
Collection and prompts are always of the same database.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connections, models, router, transaction
from django.db.models import F, Q

from vectors import store
from vectors.embedders import default_name
from vectors.errors import CollectionNotFound, EmbedderError, InvalidItem, StaleBatch
from vectors.models import Collection
from vectors.sql import Tables
from vectors.store import Item, UpsertResult

from . import database
from .indexing_signals import embedder_failed
from .models import Prompt, PromptEmbedding, PromptVersion

logger = logging.getLogger(__name__)
COLLECTION = "prompts"
BATCH = 100
_LATEST = 1_000
_IS_CURRENT = Q(embeddings__version__version=F("version"), embeddings__collection__name=COLLECTION)


def get_collection(using: str | None = None) -> Collection:
    """The collection of all prompts; made on first use, with the embedder that the settings name."""
    try:
        return store.get_collection(COLLECTION, using=using)
    except CollectionNotFound:
        alias = _written(using)
        with transaction.atomic(using=alias):
            # Another process may have been faster; from here on none can be.
            collection = Collection.objects.using(alias).filter(name=COLLECTION).first()
            if collection is None:
                strategy = settings.VECTOR_INDEX_TYPE
                collection = store.create_collection(COLLECTION, strategy=strategy, using=alias)
                database.create_view(collection, alias)
        return collection


def _written(using: str | None) -> str:
    return using or router.db_for_write(Prompt)


def index(prompts: Iterable[Prompt], *, using: str | None = None) -> UpsertResult:
    """Embed and store the current version of each prompt; what is stored already is left alone.

    Raises ``EmbedderError`` where the embedder fails; batches before that stay.
    """
    collection = get_collection(_written(using))
    result, batch = UpsertResult(), []
    for prompt in prompts:
        batch.append(prompt)
        if len(batch) == BATCH:
            result += _index_batch(collection, batch)
            batch = []
    return result + _index_batch(collection, batch) if batch else result


def rebuild_collection(using: str | None = None) -> Collection:
    """Drop the collection and make it anew, with the embedder that the settings name now."""
    alias = _written(using)
    with transaction.atomic(using=alias):  # where the new one cannot be made, the old one stays
        store.delete_collection(get_collection(alias).name, using=alias)
        return get_collection(alias)


def other_embedder(using: str | None = None) -> str:
    """The embedder that the index was made with, if the settings name another now; else empty."""
    used = get_collection(using).embedder
    return used if used != default_name() else ""


def remove(prompt_ids: Sequence[str], *, using: str | None = None) -> int:
    """Take prompts out of the index, whether they still exist or not."""
    alias = _written(using)
    collection = get_collection(alias)
    with transaction.atomic(using=alias):
        # Without its record one that comes back out of the trash is outdated, and so found by whoever looks.
        PromptEmbedding.objects.using(alias).filter(collection=collection, prompt__in=prompt_ids).delete()
        return store.delete(collection, prompt_ids, using=alias)


def index_everything(*, track: Any = iter, using: str | None = None) -> UpsertResult:
    """Bring the whole index up to date, and repair what plain SQL left behind.

    Prompts inserted with plain SQL get their first version, changed ones a new one; items of prompts that
    are gone are removed. ``track`` wraps the iterable of prompts, for a progress bar.
    """
    alias = _written(using)
    add_missing_versions(alias)
    collection = get_collection(alias)
    prompts = Prompt.objects.using(alias)
    known = set(prompts.values_list("pk", flat=True))
    items = store.iterate(collection, using=alias)
    store.delete(collection, [item.key for item in items if item.key not in known], using=alias)
    return index(track(prompts.order_by("pk").iterator(chunk_size=BATCH)), using=alias)


def outdated(using: str | None = None) -> models.QuerySet[Prompt]:
    """The prompts that the index does not hold as they are now."""
    prompts = Prompt.objects.using(using)
    return prompts.exclude(pk__in=prompts.filter(_IS_CURRENT).values("pk"))


def index_outdated(limit: int, *, using: str | None = None) -> UpsertResult:
    """Index so many of the prompts that are outdated, with a version for those that plain SQL has written.

    They are drawn by lot: those that the index refuses stay outdated, and must not keep the others from their
    turn.
    """
    alias = _written(using)
    keys = list(outdated(alias).order_by("?").values_list("pk", flat=True)[:limit])
    prompts = Prompt.objects.using(alias).filter(pk__in=keys)
    _add_missing_versions(prompts, alias)
    return index(prompts.all(), using=alias)


def remove_gone(limit: int, *, using: str | None = None) -> int:
    """Take items out of the index whose prompt is gone, so many at most; returns how many there were."""
    alias = _written(using)
    items = Tables.of(get_collection(alias)).items
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"SELECT key FROM {items} AS items WHERE NOT EXISTS "  # noqa: S608 - made from a primary key
            "(SELECT 1 FROM prompts WHERE id = items.key AND deleted_at IS NULL) LIMIT %s",
            [limit],
        )
        keys = {key for (key,) in cursor.fetchall()}
    if not keys:  # as nearly always: nobody has to wait for a transaction
        return 0
    with transaction.atomic(using=alias):
        # One may have come back, such as out of the trash.
        keys.difference_update(Prompt.objects.using(alias).filter(pk__in=keys).values_list("pk", flat=True))
        return remove(sorted(keys), using=alias)


def count_outdated(using: str | None = None) -> int:
    """Looks at every prompt, which takes 0.3 s with 100,000; see :func:`estimate_outdated`."""
    return outdated(using).count()


def estimate_outdated(using: str | None = None) -> int:
    """So many prompts are outdated at least: those that were never indexed, or so many of the last that were
    changed, among which are all others unless the embedder has failed for long. Takes milliseconds.
    """
    alias = using or router.db_for_read(Prompt)
    prompts = Prompt.objects.using(alias)
    records = PromptEmbedding.objects.using(alias).filter(collection__name=COLLECTION)
    total = prompts.count()
    latest = prompts.order_by("-updated_at", "name").values("pk")[:_LATEST]
    current = prompts.filter(_IS_CURRENT, pk__in=latest).count()
    return max(total - records.count(), min(total, _LATEST) - current)


def add_missing_versions(using: str | None = None) -> int:
    """Write the version of each prompt whose content no version holds; returns how many there were."""
    alias = _written(using)
    return _add_missing_versions(Prompt.objects.using(alias).order_by("pk"), alias)


def _add_missing_versions(prompts: models.QuerySet[Prompt], alias: str) -> int:
    written = 0
    for prompt in prompts.iterator(chunk_size=BATCH):
        if not _lacks_version(prompt, alias):
            continue
        with transaction.atomic(using=alias):
            # As it is now: somebody may have saved it since it was read.
            stored = Prompt.objects.using(alias).filter(pk=prompt.pk).first()
            if stored is not None and _lacks_version(stored, alias):
                stored.save(index=False, using=alias)
                written += 1
    return written


def _lacks_version(prompt: Prompt, alias: str) -> bool:
    latest = prompt.versions.using(alias).kept().order_by("-version").first()
    return latest is None or latest.content_hash != prompt.content_hash


def _index_batch(collection: Collection, prompts: Sequence[Prompt]) -> UpsertResult:
    items = [_item(prompt) for prompt in prompts]
    alias = _written(collection._state.db)
    try:
        # Embedding may take seconds: it is done before the transaction, never inside.
        prepared = store.prepare(collection, items, using=alias)
    except EmbedderError as error:
        embedder_failed.send_robust(Collection, error=error)
        raise
    except InvalidItem as error:  # written with plain SQL: it must not keep the others out
        if len(prompts) > 1:
            return sum((_index_batch(collection, [prompt]) for prompt in prompts), UpsertResult())
        logger.warning("Prompt %s cannot be searched: %s", prompts[0].pk, error)
        return UpsertResult()
    try:
        with transaction.atomic(using=alias):
            stored = Prompt.objects.using(alias).in_bulk([prompt.pk for prompt in prompts])
            current = [stored[prompt.pk] for prompt in prompts if prompt.pk in stored]
            if [_item(prompt) for prompt in current] == items:
                return _write(collection, prepared, current, alias)
            # Changed or deleted while they were embedded: what is stored now counts.
            gone = [prompt.pk for prompt in prompts if prompt.pk not in stored]
            store.delete(collection, gone, using=alias)
    except StaleBatch:  # the index changed meanwhile
        current = list(prompts)
    return _index_batch(collection, current) if current else UpsertResult()


def _write(
    collection: Collection, prepared: store.Prepared, prompts: Sequence[Prompt], alias: str
) -> UpsertResult:
    """Within the caller's transaction: the items, and the records of which version each holds."""
    result = store.write(collection, prepared, using=alias)
    # It may have changed over to another embedding model since the caller read it: then another one has the
    # name, which holds these items as well.
    collection = Collection.objects.using(alias).get(name=COLLECTION)
    hashes = {prompt.pk: prompt.content_hash for prompt in prompts}
    versions = PromptVersion.objects.using(alias).kept().defer("content")
    versions = versions.filter(prompt__in=list(hashes), content_hash__in=set(hashes.values()))
    newest = {
        version.prompt_id: version.pk
        for version in versions.order_by("version")
        if version.content_hash == hashes[version.prompt_id]
    }
    PromptEmbedding.objects.using(alias).bulk_create(
        [
            PromptEmbedding(
                prompt_id=key,
                version_id=newest[key],
                collection_id=collection.pk,
                model=collection.model,
                content_hash=content_hash,
            )
            for key, content_hash in hashes.items()
            if key in newest
        ],
        update_conflicts=True,
        unique_fields=["prompt", "collection"],
        update_fields=["version", "model", "content_hash"],
    )
    return result


def _item(prompt: Prompt) -> Item:
    return Item(
        key=prompt.pk,
        title=prompt.title,
        text=prompt.text,
        metadata={
            "name": prompt.name,
            "folder": prompt.folders,
            "status": prompt.status,
            "language": prompt.language,
            "tags": prompt.tags,
            "version": prompt.version,
            "user": prompt.user_id,
        },
    )
