"""Chroma, with files (PersistentClient) and its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import chromadb
from chromadb.config import Settings

from vectors.benchmarking.libraries.base import Library
from vectors.benchmarking.measuring import Matrix


class Chroma(Library):
    ways: ClassVar[dict[str, dict[str, Any]]] = {"hnsw": {}}
    versions: ClassVar[Sequence[str]] = ("chromadb",)

    def open(self) -> None:
        client = chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))
        self._collection: Any = client.create_collection(
            "rows", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def add(self, first: int, chunk: Matrix) -> None:
        self._collection.add(ids=[str(first + at) for at in range(len(chunk))], embeddings=chunk)

    def search(self, query: Matrix, k: int, **settings: Any) -> Sequence[int]:
        found = self._collection.query(query_embeddings=[query], n_results=k, include=[])
        return [int(key) for key in found["ids"][0]]
