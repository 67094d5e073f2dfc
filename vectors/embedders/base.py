"""What an embedder is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from vectors.codec import Matrix


class Embedder(ABC):
    """Turns texts into embeddings. Instances are shared between threads.

    `keyword_weight` is the share of BM25 in hybrid search that is safe with this embedder where a collection
    sets none; `cjk_keyword_weight` the same for queries mostly in Japanese, Chinese or Korean.
    """

    name: ClassVar[str]
    keyword_weight: ClassVar[float] = 0.5
    cjk_keyword_weight: ClassVar[float] = 0.5

    model: str
    dimensions: int

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Matrix:
        """n texts as float32 of shape (n, dimensions), in order; raises EmbedderError."""

    def embed_query(self, text: str) -> Matrix:
        """One query as float32 of shape (dimensions,). Models that treat queries apart override this."""
        vector: Matrix = self.embed([text])[0]
        return vector


def batches(texts: Sequence[str], *, items: int, characters: int) -> Iterator[Sequence[str]]:
    """Cut `texts` in order into runs of at most `items` texts and `characters` characters.

    A longer single text is a batch of its own.
    """
    start = size = 0
    for at, text in enumerate(texts):
        if at > start and (at - start >= items or size + len(text) > characters):
            yield texts[start:at]
            start, size = at, 0
        size += len(text)
    if start < len(texts):
        yield texts[start:]
