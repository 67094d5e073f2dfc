"""Any model of the sentence-transformers library; optional, since it brings PyTorch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.conf import settings

from vectors.codec import Matrix
from vectors.embedders.base import Embedder
from vectors.errors import EmbedderError

_DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


class SentenceTransformersEmbedder(Embedder):
    """`settings.AFN_EMBEDDING_MODEL` (a name or a folder) through sentence-transformers, loaded at once."""

    name = "sentence-transformers"

    def __init__(self, *, model: str = "", dimensions: int | None = None) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EmbedderError(
                "embedder sentence-transformers",
                "the package sentence-transformers",
                "no such package",
                "Run: pip install sentence-transformers",
            ) from error
        self.model = model or str(getattr(settings, "AFN_EMBEDDING_MODEL", "") or _DEFAULT_MODEL)
        self._lock = threading.Lock()
        try:
            self._transformer: Any = SentenceTransformer(self.model)
        except (OSError, ValueError) as error:
            raise EmbedderError(
                "AFN_EMBEDDING_MODEL", "a model that can be loaded", f"{self.model}: {error}"
            ) from error
        self.dimensions = int(self._transformer.get_sentence_embedding_dimension())
        if dimensions not in (None, self.dimensions):
            raise EmbedderError("dimensions", f"{self.dimensions} for {self.model}", str(dimensions))

    def embed(self, texts: Sequence[str]) -> Matrix:
        """n texts as unit vectors, float32 of shape (n, dimensions)."""
        with self._lock:
            vectors = self._transformer.encode(
                list(texts), convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimensions)
