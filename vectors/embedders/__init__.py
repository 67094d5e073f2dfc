"""Embedders by name.

`settings.AFN_EMBEDDERS` (name → dotted path of an `Embedder` class) adds to the built-in ones. A class is
imported and made on first use and then kept, so a wrong name or a missing package shows when it is needed
or in the system checks, never at import time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from vectors.embedders.base import Embedder
from vectors.errors import EmbedderError, shown

if TYPE_CHECKING:
    from vectors.models import Collection

DEFAULT: Final = "wordllama"
_BUILT_IN: Final = {
    "wordllama": "vectors.embedders.wordllama.WordLlamaEmbedder",
    "openai": "vectors.embedders.openai.OpenAIEmbedder",
    "sentence-transformers": "vectors.embedders.sentence_transformers.SentenceTransformersEmbedder",
}

__all__ = ["DEFAULT", "Embedder", "default_name", "for_collection", "get_embedder", "names", "path_of"]


def names() -> list[str]:
    """The names an embedder can be chosen by."""
    return sorted(_paths())


def path_of(name: str) -> str:
    """The dotted path of that embedder's class; raises EmbedderError, listing the valid names."""
    paths = _paths()
    if name not in paths:
        raise EmbedderError(
            "embedder", "one of " + ", ".join(sorted(paths)), shown(name), "AFN_EMBEDDERS adds others."
        )
    return paths[name]


def default_name() -> str:
    """The embedder of new collections: `settings.AFN_EMBEDDER`, or wordllama."""
    return str(getattr(settings, "AFN_EMBEDDER", None) or DEFAULT)


def get_embedder(name: str | None = None, *, model: str = "", dimensions: int | None = None) -> Embedder:
    """The embedder of that name (default: `default_name()`), shared in the process.

    `model` and `dimensions` choose among what an embedder offers; left out, its settings decide. Raises
    EmbedderError for an unknown name, a missing package or a missing setting.
    """
    return _instance(name or default_name(), model, dimensions)


def for_collection(collection: Collection) -> Embedder:
    """The embedder that made the collection's embeddings; raises EmbedderError where it no longer would."""
    if not collection.embedder:
        raise EmbedderError(
            "embedder",
            f"embeddings from the caller for collection {collection.name!r}",
            "text only",
            "The collection was made without an embedder: pass vectors.",
        )
    embedder = get_embedder(collection.embedder, model=collection.model, dimensions=collection.dimensions)
    if (embedder.model, embedder.dimensions) != (collection.model, collection.dimensions):
        raise EmbedderError(
            f"embedder {embedder.name}",
            f"model {collection.model} with {collection.dimensions} dimensions, as collection "
            f"{collection.name!r} was made with",
            f"{embedder.model} with {embedder.dimensions}",
            "Embed the collection anew, or install the version it was made with.",
        )
    return embedder


def _paths() -> dict[str, str]:
    return {**_BUILT_IN, **getattr(settings, "AFN_EMBEDDERS", {})}


@lru_cache(maxsize=16)
def _instance(name: str, model: str, dimensions: int | None) -> Embedder:
    path = path_of(name)
    try:
        made = import_string(path)
    except ImportError as error:
        raise EmbedderError(
            f"embedder {name}", "the path of a class", f"{path} ({error})", "Set AFN_EMBEDDERS."
        ) from error
    embedder: Embedder = made(model=model, dimensions=dimensions)
    return embedder


def _forget(*, setting: str, **_: object) -> None:
    if setting.startswith(("AFN_EMBED", "OPENAI_", "VECTOR_")):
        _instance.cache_clear()


setting_changed.connect(_forget, dispatch_uid="vectors.embedders")
