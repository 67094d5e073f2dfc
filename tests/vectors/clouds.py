"""Collections of vectors with structure, and searches in them."""

import numpy as np

from vectors import store
from vectors.index.state import State, read_state
from vectors.models import Collection
from vectors.search import SearchResult, search
from vectors.sql import Tables
from vectors.store import Item

DIMENSIONS = 96


def cloud(rows: int, seed: int = 1) -> np.ndarray:
    """Vectors with structure: around 20 centres, off the origin, as embeddings are."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((20, DIMENSIONS)) + 0.5
    return (
        centres[random.integers(20, size=rows)] + 0.5 * random.standard_normal((rows, DIMENSIONS))
    ).astype("f4")


def collect(
    matrix: np.ndarray, strategy: str = "quantised", using: str | None = None, **options: object
) -> Collection:
    """A collection of the rows of `matrix`, under the keys k0, k1…"""
    collection = store.create_collection(
        "cloud",
        embedder="",
        dimensions=DIMENSIONS,
        strategy=strategy,
        using=using,
        **options,  # type: ignore[arg-type]
    )
    add(collection, matrix, 0, using)
    return collection


def add(collection: Collection, matrix: np.ndarray, first: int, using: str | None = None) -> None:
    """Upsert rows under the keys k<first> and on."""
    store.upsert(
        collection,
        [
            Item(
                f"k{first + at}",
                f"row {at}",
                vector=row,
                metadata={"n": first + at, "mod": (first + at) % 50},
            )
            for at, row in enumerate(matrix)
        ],
        using=using,
    )


def near(collection: Collection, vector: np.ndarray, k: int = 10, **options: object) -> SearchResult:
    return search(collection, vector=vector, k=k, mode="semantic", **options)  # type: ignore[arg-type]


def keys(result: SearchResult) -> list[str]:
    return [hit.key for hit in result.hits]


def state(collection: Collection, using: str = "default") -> State:
    """The state of its index."""
    return read_state(Tables.of(collection), using)
