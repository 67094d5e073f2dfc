"""An item as a caller hands it in and as it is stored, and the one place where items are validated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vectors.codec import Matrix, as_vector, to_blob
from vectors.errors import InvalidItem, shown
from vectors.limits import MAX_KEY, MAX_TEXT, MAX_TITLE
from vectors.metadata_schema import MetadataSchema
from vectors.models import Collection
from vectors.validation import check_text, metadata_json


@dataclass(frozen=True, slots=True)
class Item:
    """What `upsert` takes. `vector` is the caller's own embedding; None has the embedder make one."""

    key: str
    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    vector: Sequence[float] | Matrix | None = None


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A row as read back. Times are ISO 8601 in UTC; `id` changes whenever title, text or embedding do."""

    id: int
    key: str
    title: str
    text: str
    metadata: dict[str, Any]
    content_hash: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """An item that may be stored: metadata as JSON text, the caller's vector as float32 (dimensions,)."""

    key: str
    text: str
    title: str
    metadata: str
    vector: Matrix | None
    content_hash: str


def check_item(item: Item, collection: Collection) -> CheckedItem:
    """Validate one item for `collection`; raises InvalidItem or InvalidVector naming the field."""
    key = check_text(item.key, "key", minimum=1, maximum=MAX_KEY)
    text = check_text(item.text, "text", minimum=1, maximum=MAX_TEXT)
    title = check_text(item.title, "title", minimum=0, maximum=MAX_TITLE)
    metadata = metadata_json(item.metadata)
    if collection.metadata_schema:
        MetadataSchema.stored(collection.metadata_schema).check(item.metadata)
    if item.vector is not None:
        vector = as_vector(item.vector, collection.dimensions, collection.metric)
    elif collection.embedder:
        vector = None
    else:
        raise InvalidItem("vector", "an embedding, as the collection has no embedder", "nothing")
    return CheckedItem(key, text, title, metadata, vector, content_hash(title, text, vector))


def parse_item(value: object) -> Item:
    """{"key", "text", "title"?, "metadata"?, "vector"?} as an Item; raises InvalidItem, for others too.

    Whoever knows the collection checks the vector.
    """
    if not isinstance(value, dict):
        raise InvalidItem("item", "an object", f"{type(value).__name__} {shown(value)}")
    if unknown := value.keys() - {"key", "text", "title", "metadata", "vector"}:
        raise InvalidItem("item", "the members key, text, title, metadata and vector", shown(min(unknown)))
    key = check_text(value.get("key"), "key", minimum=1, maximum=MAX_KEY)
    text = check_text(value.get("text"), "text", minimum=1, maximum=MAX_TEXT)
    title = check_text(value.get("title", ""), "title", minimum=0, maximum=MAX_TITLE)
    metadata = value.get("metadata", {})
    metadata_json(metadata)
    vector = value.get("vector")
    if vector is not None and not isinstance(vector, list | np.ndarray):
        raise InvalidItem("vector", "a list of numbers", f"{type(vector).__name__} {shown(vector)}")
    if isinstance(vector, list) and bool in set(map(type, vector)):  # NumPy would take true for 1
        raise InvalidItem("vector", "numbers", "true or false among them")
    return Item(key, text, title, metadata, vector)


def content_hash(title: str, text: str, vector: Matrix | None) -> str:
    """SHA-256 (hexadecimal) of what an id stands for, each part with its length before it."""
    digest = hashlib.sha256()
    for part in (title.encode(), text.encode(), b"" if vector is None else to_blob(vector)):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def text_to_embed(title: str, text: str) -> str:
    """What an item's embedding is made from."""
    return f"{title}\n{text}" if title else text
