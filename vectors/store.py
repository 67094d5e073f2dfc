"""Collections and their items: the names to import for everything but searching."""

from vectors.browsing import FacetValue, Page, facet, scroll
from vectors.catalogue import create_collection, delete_collection, get_collection, renew_generation
from vectors.deleting import delete_matching
from vectors.items import Item, StoredItem
from vectors.metadata_changes import set_metadata_schema
from vectors.reading import count, get, get_many, iterate, iterate_vectors, vectors_by_key
from vectors.writing import Prepared, UpsertResult, delete, prepare, upsert, write

__all__ = [
    "FacetValue",
    "Item",
    "Page",
    "Prepared",
    "StoredItem",
    "UpsertResult",
    "count",
    "create_collection",
    "delete",
    "delete_collection",
    "delete_matching",
    "facet",
    "get",
    "get_collection",
    "get_many",
    "iterate",
    "iterate_vectors",
    "prepare",
    "renew_generation",
    "scroll",
    "set_metadata_schema",
    "upsert",
    "vectors_by_key",
    "write",
]
