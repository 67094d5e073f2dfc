"""What is already there of an item that is about to be saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vectors.codec import Matrix, as_vector
from vectors.duplicates.thresholds import Threshold
from vectors.embedders import Embedder
from vectors.items import Item
from vectors.models import Collection
from vectors.search import search
from vectors.writing import Prepared, embed_texts

_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Similar:
    """A stored item. `similarity` is None under l2."""

    key: str
    title: str
    distance: float
    similarity: float | None


def similar_to(
    collection: Collection,
    items: Iterable[Item] | Prepared,
    threshold: float | None = None,
    *,
    most: int = _MOST,
    embedder: Embedder | None = None,
    using: str | None = None,
) -> dict[str, list[Similar]]:
    """By key of the items, what is stored under other keys and is near-identical; items without are left out.

    `threshold` is a cosine similarity (default: 0.95), or a distance under l2; `most` bounds each list,
    nearest first. One search an item, with whatever index the collection has. Of a `Prepared` batch only what
    is new or changed is looked for, with the embeddings it has, so that saving it embeds nothing twice:

        prepared = store.prepare(notes, items)
        if not similar_to(notes, prepared):
            store.write(notes, prepared)

    Raises InvalidQuery for a threshold, InvalidVector or EmbedderError.
    """
    limit = Threshold(collection.metric, threshold)
    found: dict[str, list[Similar]] = {}
    for key, vector in _vectors(collection, items, embedder).items():
        hits = search(collection, vector=vector, mode="semantic", k=most + 1, using=using).hits
        others = [
            Similar(hit.key, hit.title, hit.distance, hit.similarity)
            for hit in hits
            if hit.key != key and hit.distance is not None and limit.allows(hit.distance)
        ]
        if others:
            found[key] = others[:most]
    return found


def _vectors(
    collection: Collection, items: Iterable[Item] | Prepared, embedder: Embedder | None
) -> dict[str, Matrix]:
    if isinstance(items, Prepared):
        contents = items.contents.get(collection.pk, {})
        return {key: content.vector for key, content in contents.items()}
    batch = list(items)
    vectors = {
        one.key: as_vector(one.vector, collection.dimensions, collection.metric)
        for one in batch
        if one.vector is not None
    }
    if missing := [one for one in batch if one.vector is None]:
        matrix = embed_texts(collection, missing, embedder)
        vectors.update(zip((one.key for one in missing), matrix, strict=True))
    return vectors
