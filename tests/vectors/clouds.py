"""Collections of vectors with structure, and searches in them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.db import connections

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
    matrix: np.ndarray, strategy: str = "quantised", using: str | None = None, **options: Any
) -> Collection:
    """A collection of the rows of `matrix`, under the keys k0, k1…"""
    collection = store.create_collection(
        "cloud",
        embedder="",
        dimensions=DIMENSIONS,
        strategy=strategy,
        using=using,
        **options,
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


def near(collection: Collection, vector: np.ndarray, k: int = 10, **options: Any) -> SearchResult:
    return search(collection, vector=vector, k=k, mode="semantic", **options)


def keys(result: SearchResult) -> list[str]:
    return [hit.key for hit in result.hits]


def state(collection: Collection, using: str = "default") -> State:
    """The state of its index."""
    return read_state(Tables.of(collection), using)


@contextmanager
def readers(collection: Collection, matrix: np.ndarray, using: str, count: int = 2) -> Iterator[None]:
    """Threads that search for random rows, which come first each time, until the block ends."""
    done = threading.Event()

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        while not done.is_set():
            at = int(random.integers(len(matrix)))
            assert keys(near(collection, matrix[at], using=using))[0] == f"k{at}"

    with ThreadPoolExecutor(count) as pool:
        reading = [pool.submit(in_thread, read, using, seed) for seed in range(count)]
        try:
            yield
        finally:
            done.set()
        for one in reading:
            one.result()


def in_thread(run: Callable[..., None], using: str, *arguments: Any) -> None:
    """Run in this thread, and close the connection that it has opened."""
    try:
        run(*arguments)
    finally:
        connections[using].close()
