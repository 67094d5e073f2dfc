"""An embedder that is a function of its input: words in common make texts near."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from vectors.codec import Matrix
from vectors.embedders.base import Embedder
from vectors.fulltext import terms

DIMENSIONS = 64


class FakeEmbedder(Embedder):
    """The sum of one pseudo-random unit vector a term, the same in every process."""

    name = "fake"

    def __init__(self, *, model: str = "", dimensions: int | None = None) -> None:
        self.model = model or "words"
        self.dimensions = dimensions or DIMENSIONS
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Matrix:
        self.calls.append(list(texts))
        return np.array([self._one(text) for text in texts], np.float32).reshape(len(texts), self.dimensions)

    def _one(self, text: str) -> Matrix:
        rows = [self._word(term) for term in terms(text)] or [self._word(text)]
        total: Matrix = np.sum(rows, axis=0)
        return total

    def _word(self, word: str) -> Matrix:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)


class OtherEmbedder(FakeEmbedder):
    name = "other"

    def __init__(self, *, model: str = "", dimensions: int | None = None) -> None:
        super().__init__(model=model or "other-1", dimensions=dimensions)


class SynonymEmbedder(FakeEmbedder):
    """Knows that `word7x` means `word7`, which no keyword search does."""

    name = "synonyms"

    def embed(self, texts: Sequence[str]) -> Matrix:
        return super().embed([re.sub(r"\b(word\d+)x\b", r"\1", text) for text in texts])
