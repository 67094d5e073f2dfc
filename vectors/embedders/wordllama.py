"""The embedded default: averaged static token embeddings. NumPy only, offline, about 900 prompts a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vectors.codec import Matrix
from vectors.embedders.base import Embedder, batches
from vectors.errors import EmbedderError

_MODEL = "l2_supercat"
DIMENSIONS = 256
# Tokenizing holds some 100 bytes a token: pieces and batches of characters keep the process small.
_BATCH_CHARACTERS = 200_000
_BATCH_ITEMS = 256
_PIECE_CHARACTERS = 20_000
# Tokens averaged at once: 4,096 · 256 · 4 bytes = 4 MB.
_TOKENS = 4_096


class WordLlamaEmbedder(Embedder):
    """wordllama's 256-dimensional English model, whose weights come with the package.

    Texts are lower-cased: upper case costs the model most of its score. It knows little Japanese, so the
    keyword leg leads there (MRR@10 0.929 at 0.95 against 0.633 for the vectors alone).
    """

    name = "wordllama"
    keyword_weight = 0.8
    cjk_keyword_weight = 0.95

    # One model a process: 32 MB of weights, 0.5 s to load.
    _lock = threading.Lock()
    _loaded: Any = None

    def __init__(self, *, model: str = "", dimensions: int | None = None) -> None:
        if model not in ("", _MODEL):
            raise EmbedderError("model", f"{_MODEL} for the embedder wordllama", model)
        if dimensions not in (None, DIMENSIONS):
            raise EmbedderError("dimensions", f"{DIMENSIONS} for the embedder wordllama", str(dimensions))
        self.model = _MODEL
        self.dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Matrix:
        """The mean of the tokens' embeddings, float32 of shape (n, 256), not scaled to length 1."""
        model = self._load()
        result = np.empty((len(texts), self.dimensions), dtype=np.float32)
        done = 0
        for batch in batches(texts, items=_BATCH_ITEMS, characters=_BATCH_CHARACTERS):
            pieces = [(row, piece) for row, text in enumerate(batch) for piece in _pieces(text.lower())]
            sums = np.zeros((len(batch), self.dimensions))
            counts = np.zeros(len(batch))
            for group in batches(
                [piece for _, piece in pieces], items=_BATCH_ITEMS, characters=_BATCH_CHARACTERS
            ):
                rows = pieces[: len(group)]
                del pieces[: len(group)]
                encoded = model.tokenizer.encode_batch_fast(list(group), add_special_tokens=False)
                for (row, _), encoding in zip(rows, encoded, strict=True):
                    tokens = encoding.ids
                    counts[row] += len(tokens)
                    for start in range(0, len(tokens), _TOKENS):
                        sums[row] += model.embedding[tokens[start : start + _TOKENS]].sum(axis=0)
            result[done : done + len(batch)] = sums / np.maximum(counts, 1)[:, np.newaxis]
            done += len(batch)
        return result

    @classmethod
    def _load(cls) -> Any:
        with cls._lock:
            if cls._loaded is None:
                cls._loaded = _load_model()
            return cls._loaded


def _load_model() -> Any:
    try:
        import wordllama
    except ImportError as error:
        raise EmbedderError(
            "embedder wordllama", "the package wordllama", "no such package", "Run: pip install wordllama"
        ) from error
    # The package looks for its tokenizer in a folder it does not have and would then download it; as a
    # cache directory its own folder holds both files under the names looked for.
    model = wordllama.WordLlama.load(
        _MODEL, cache_dir=Path(wordllama.__file__).parent, dim=DIMENSIONS, disable_download=True
    )
    model.tokenizer.no_padding()
    return model


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text near every 20,000th character, at white space where there is some."""
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        space = text.rfind(" ", start, start + _PIECE_CHARACTERS)
        stop = space if space > start else start + _PIECE_CHARACTERS
        yield text[start:stop]
        start = stop
    yield text[start:]
