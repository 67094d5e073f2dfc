"""Keeps the collection ``prompts`` in step with the prompts: one item each, whose key is the prompt's id."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from vectors import store
from vectors.embedders import default_name
from vectors.errors import CollectionNotFound, InvalidItem, StaleBatch
from vectors.models import Collection
from vectors.store import Item, UpsertResult

from . import database
from .models import Prompt, PromptEmbedding, PromptVersion
from .models.prompt import hash_content

logger = logging.getLogger(__name__)
COLLECTION = "prompts"
BATCH = 100


def get_collection() -> Collection:
    """The collection of all prompts; made on first use, with the embedder that the settings name."""
    try:
        return store.get_collection(COLLECTION)
    except CollectionNotFound:
        with transaction.atomic():
            # Another process may have been faster; from here on none can be.
            collection = Collection.objects.filter(name=COLLECTION).first()
            if collection is None:
                collection = store.create_collection(COLLECTION, strategy=settings.VECTOR_INDEX_TYPE)
                database.create_view(collection)
        return collection


def index(prompts: Iterable[Prompt]) -> UpsertResult:
    """Embed and store the current version of each prompt; what is stored already is left alone.

    Raises ``EmbedderError`` where the embedder fails; batches before that stay.
    """
    collection = get_collection()
    result, batch = UpsertResult(), []
    for prompt in prompts:
        batch.append(prompt)
        if len(batch) == BATCH:
            result += _index_batch(collection, batch)
            batch = []
    return result + _index_batch(collection, batch) if batch else result


def rebuild_collection() -> Collection:
    """Drop the collection and make it anew, with the embedder that the settings name now."""
    with transaction.atomic():  # where the new one cannot be made, the old one stays
        store.delete_collection(get_collection().name)
        return get_collection()


def other_embedder() -> str:
    """The embedder that the index was made with, if the settings name another now; else empty."""
    used = get_collection().embedder
    return used if used != default_name() else ""


def remove(prompt_ids: Sequence[str]) -> int:
    """Take prompts out of the index, whether they still exist or not."""
    return store.delete(get_collection(), prompt_ids)


def index_everything(*, track: Any = iter) -> UpsertResult:
    """Bring the whole index up to date, and repair what plain SQL left behind.

    Prompts inserted with plain SQL get their first version, changed ones a new one; items of prompts that
    are gone are removed. ``track`` wraps the iterable of prompts, for a progress bar.
    """
    add_missing_versions()
    collection = get_collection()
    known = set(Prompt.objects.values_list("pk", flat=True))
    store.delete(collection, [item.key for item in store.iterate(collection) if item.key not in known])
    return index(track(Prompt.objects.order_by("pk").iterator(chunk_size=BATCH)))


def count_outdated() -> int:
    """How many prompts the index does not hold as they are now."""
    current = Q(embeddings__version__version=F("version"), embeddings__collection__name=COLLECTION)
    return Prompt.objects.exclude(pk__in=Prompt.objects.filter(current).values("pk")).count()


def add_missing_versions() -> int:
    """Write the version of each prompt whose content no version holds; returns how many there were."""
    written = 0
    for prompt in Prompt.objects.order_by("pk").iterator(chunk_size=BATCH):
        latest = prompt.versions.order_by("-version").first()
        if latest is None or latest.content_hash != prompt.content_hash:
            prompt.save(index=False)
            written += 1
    return written


def _index_batch(collection: Collection, prompts: Sequence[Prompt]) -> UpsertResult:
    items = [_item(prompt) for prompt in prompts]
    try:
        # Embedding may take seconds: it is done before the transaction, never inside.
        prepared = store.prepare(collection, items)
    except InvalidItem as error:  # written with plain SQL: it must not keep the others out
        if len(prompts) > 1:
            return sum((_index_batch(collection, [prompt]) for prompt in prompts), UpsertResult())
        logger.warning("Prompt %s cannot be searched: %s", prompts[0].pk, error)
        return UpsertResult()
    try:
        with transaction.atomic():
            stored = Prompt.objects.in_bulk([prompt.pk for prompt in prompts])
            current = [stored[prompt.pk] for prompt in prompts if prompt.pk in stored]
            if [_item(prompt) for prompt in current] == items:
                return _write(collection, prepared, current)
            # Changed or deleted while they were embedded: what is stored now counts.
            store.delete(collection, [prompt.pk for prompt in prompts if prompt.pk not in stored])
    except StaleBatch:  # the index changed meanwhile
        current = list(prompts)
    return _index_batch(collection, current) if current else UpsertResult()


def _write(collection: Collection, prepared: store.Prepared, prompts: Sequence[Prompt]) -> UpsertResult:
    """Within the caller's transaction: the items, and the records of which version each holds."""
    result = store.write(collection, prepared)
    hashes = {prompt.pk: hash_content(prompt.content) for prompt in prompts}
    versions = PromptVersion.objects.filter(prompt__in=prompts, content_hash__in=set(hashes.values()))
    newest = {
        version.prompt_id: version
        for version in versions.order_by("version")
        if version.content_hash == hashes[version.prompt_id]
    }
    PromptEmbedding.objects.bulk_create(
        [
            PromptEmbedding(
                prompt=prompt,
                version=newest[prompt.pk],
                collection=collection,
                model=collection.model,
                content_hash=hashes[prompt.pk],
            )
            for prompt in prompts
            if prompt.pk in newest
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
        text=prompt.content,
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
