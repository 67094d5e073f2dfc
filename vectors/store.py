"""Collections and their items: the names to import for everything but searching."""

from vectors.catalogue import create_collection, delete_collection, get_collection, renew_generation
from vectors.items import Item, StoredItem
from vectors.reading import count, get, get_many, iterate, iterate_vectors, vectors_by_key
from vectors.writing import Prepared, UpsertResult, delete, prepare, upsert, write

__all__ = [
    "Item",
    "Prepared",
    "StoredItem",
    "UpsertResult",
    "count",
    "create_collection",
    "delete",
    "delete_collection",
    "get",
    "get_collection",
    "get_many",
    "iterate",
    "iterate_vectors",
    "prepare",
    "renew_generation",
    "upsert",
    "vectors_by_key",
    "write",
]
