"""AFN as a vector store of LangChain: copy this file into your project. Needs `pip install langchain-core`.

    import os, django
    os.environ["DJANGO_SETTINGS_MODULE"] = "afn_project.settings"
    django.setup()

    from langchain_afn import AFNVectorStore
    store = AFNVectorStore.from_texts(
        ["Refunds take five days."], embeddings, [{"lang": "en"}], collection_name="notes"
    )
    store.similarity_search("when do I get my money back?", k=3, filter={"lang": "en"})

The embeddings are LangChain's; AFN keeps them and the texts in a collection without an embedder of its own.
Filters are AFN's, see `docs/vectors.md`. Scores are distances: 0 is nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from vectors import store
from vectors.errors import CollectionNotFound
from vectors.models import Collection, Metric
from vectors.search import Hit, search

Filter = Mapping[str, Any]


class AFNVectorStore(VectorStore):
    """The collection of that name, made with the first texts where it is missing."""

    def __init__(self, embedding: Embeddings, collection_name: str = "langchain", **settings: Any) -> None:
        """`settings` (metric, metadata_schema, using…) are those of `vectors.store.create_collection`."""
        self._embedding = embedding
        self._name = collection_name
        self._settings = settings
        self._using: str | None = settings.get("using")

    @property
    def embeddings(self) -> Embeddings:
        return self._embedding

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **settings: Any,
    ) -> AFNVectorStore:
        made = cls(embedding, **settings)
        made.add_texts(texts, metadatas, ids=ids)
        return made

    # -- writing -----------------------------------------------------------------------------------------

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **_: Any,
    ) -> list[str]:
        """Insert texts, or replace those whose id is there: all or none. Returns the ids."""
        listed = list(texts)
        if not listed:
            return []
        keys = [key or str(uuid4()) for key in (ids or [None] * len(listed))]
        vectors = self._embedding.embed_documents(listed)
        rows = zip(keys, listed, metadatas or [{}] * len(listed), vectors, strict=True)
        # Of an id that comes twice the last counts.
        items = {
            key: store.Item(key, text, metadata=metadata, vector=vector)
            for key, text, metadata, vector in rows
        }
        store.upsert(self._collection(dimensions=len(vectors[0])), items.values(), using=self._using)
        return keys

    def delete(self, ids: list[str] | None = None, *, filter: Filter | None = None, **_: Any) -> bool | None:
        """Delete documents by id, or all that match a filter; unknown ids are passed over.

        Without either nothing is deleted: for all of them there is `delete_collection`.
        """
        if ids is None and filter is None:
            raise ValueError("Expected ids or a filter; delete_collection() deletes all documents.")
        if (collection := self._found()) is None:
            return True
        if filter is not None:
            store.delete_matching(collection, filter, using=self._using)
        if ids:
            store.delete(collection, ids, using=self._using)
        return True

    def delete_collection(self) -> None:
        """Delete the collection with all of its documents."""
        if self._found() is not None:
            store.delete_collection(self._name, using=self._using)

    # -- reading -----------------------------------------------------------------------------------------

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        collection = self._found()
        found = store.get_many(collection, ids, using=self._using) if collection else {}
        items = [found[key] for key in ids if key in found]
        return [Document(id=item.key, page_content=item.text, metadata=item.metadata) for item in items]

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: Any
    ) -> list[Document]:
        return [found for found, _ in self.similarity_search_with_score(query, k, filter, **options)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: Any
    ) -> list[tuple[Document, float]]:
        """`options` are those of `vectors.search.search`: mode="hybrid" goes by the words as well."""
        vector = self._embedding.embed_query(query)
        return self._search(vector, k, filter, query=query, **options)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **options: Any
    ) -> list[Document]:
        return [found for found, _ in self._search(embedding, k, filter, **options)]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: Any
    ) -> list[Document]:
        return self.max_marginal_relevance_search_by_vector(
            self._embedding.embed_query(query), k, fetch_k, lambda_mult, **options
        )

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **options: Any
    ) -> list[Document]:
        """`k` of the nearest `fetch_k` documents, unlike each other (`lambda_mult` 1: simply the nearest)."""
        found = self.similarity_search_by_vector(embedding, max(k, fetch_k), **options)
        if not found:
            return []
        stored = store.vectors_by_key(
            store.get_collection(self._name, using=self._using), [one.id for one in found], using=self._using
        )
        # What was deleted since the search has no embedding any more.
        found = [one for one in found if one.id in stored]
        vectors = [stored[one.id] for one in found]
        picked = maximal_marginal_relevance(np.array(embedding), vectors, lambda_mult, k)
        return [found[number] for number in picked]

    def _search(
        self, vector: list[float], k: int, filter: Filter | None, **options: Any
    ) -> list[tuple[Document, float]]:
        if self._found() is None:
            return []
        wanted: dict[str, Any] = {"mode": "semantic", **options}
        result = search(self._name, vector=vector, k=k, filter=filter, using=self._using, **wanted)
        return [(_document(hit), _distance(hit)) for hit in result.hits]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        collection = self._found()
        if collection is not None and collection.metric == Metric.L2:
            return lambda distance: 1 / (1 + max(0, distance))
        return lambda distance: 1 - max(0, distance) / 2  # rounding may leave it below 0

    def _found(self) -> Collection | None:
        try:
            return store.get_collection(self._name, using=self._using)
        except CollectionNotFound:
            return None

    def _collection(self, dimensions: int) -> Collection:
        made = self._found()
        if made is not None:
            return made
        return store.create_collection(self._name, embedder="", dimensions=dimensions, **self._settings)


def _document(hit: Hit) -> Document:
    return Document(id=hit.key, page_content=hit.text, metadata=hit.metadata)


def _distance(hit: Hit) -> float:
    """None where only words were compared (mode="keyword")."""
    return float("nan") if hit.distance is None else hit.distance
