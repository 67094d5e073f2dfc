"""System checks of this library's settings: a wrong one is named at start, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from vectors.embedders import default_name, names, path_of
from vectors.embedders.wordllama import DIMENSIONS as WORDLLAMA_DIMENSIONS
from vectors.errors import OutgoingRefused
from vectors.limits import MAX_DIMENSIONS
from vectors.models import Metric, StrategyName

_PACKAGES: Final = {
    "wordllama": ("wordllama", "wordllama"),
    "openai": ("openai", "openai"),
    "sentence-transformers": ("sentence_transformers", "sentence-transformers"),
}


@register("vectors")
def check_settings(**_: Any) -> list[CheckMessage]:
    """Errors vectors.E001…E008 and warning W001; no model is loaded for it."""
    return [*_embedder(), *_service(), *_metric(), *_dimension(), *_strategy()]


def _embedder() -> Iterator[CheckMessage]:
    name = default_name()
    if name not in names():
        yield Error(
            f"AFN_EMBEDDER is {name!r}, which is no embedder.",
            hint="Choose one of " + ", ".join(names()) + ".",
            id="vectors.E001",
        )
        return
    module, package = _PACKAGES.get(name, ("", ""))
    if module and find_spec(module) is None:
        yield Error(
            f"AFN_EMBEDDER is {name!r}, but the package {package} is not installed.",
            hint=f"Run: pip install {package}",
            id="vectors.E002",
        )
    elif not module:
        try:
            import_string(path_of(name))
        except ImportError as error:
            yield Error(
                f"AFN_EMBEDDERS[{name!r}] cannot be imported: {error}",
                hint="Give the dotted path of an Embedder class.",
                id="vectors.E006",
            )
    if name == "openai" and not getattr(settings, "OPENAI_API_KEY", ""):
        yield Error(
            "AFN_EMBEDDER is 'openai', but OPENAI_API_KEY is empty.",
            hint="Set OPENAI_API_KEY, or AFN_EMBEDDER=wordllama to work offline.",
            id="vectors.E003",
        )


def _service() -> Iterator[CheckMessage]:
    url = getattr(settings, "OPENAI_BASE_URL", "")
    if default_name() != "openai" or not url:
        return
    from vectors.outgoing import check_url  # brings a whole HTTP client along, which most starts do without

    try:
        check_url(str(url), "OPENAI_BASE_URL")
    except OutgoingRefused as error:
        yield Error(
            f"OPENAI_BASE_URL may not be called: expected {error.expected}, got {error.got}.",
            hint=error.hint or "Give an address such as https://example.org/v1.",
            id="vectors.E008",
        )


def _metric() -> Iterator[CheckMessage]:
    metric = getattr(settings, "VECTOR_METRIC", "") or Metric.COSINE
    if metric not in Metric.values:
        yield Error(
            f"VECTOR_METRIC is {metric!r}.",
            hint="Choose " + " or ".join(Metric.values) + ".",
            id="vectors.E004",
        )


def _dimension() -> Iterator[CheckMessage]:
    dimension = getattr(settings, "VECTOR_DIMENSION", None)
    if dimension is None:
        return
    if isinstance(dimension, bool) or not isinstance(dimension, int) or not 1 <= dimension <= MAX_DIMENSIONS:
        yield Error(
            f"VECTOR_DIMENSION is {dimension!r}.",
            hint=f"Give an integer from 1 to {MAX_DIMENSIONS:,}, or leave it out for the model's own.",
            id="vectors.E005",
        )
    elif default_name() == "wordllama" and dimension != WORDLLAMA_DIMENSIONS:
        yield Warning(
            f"VECTOR_DIMENSION is {dimension}, but wordllama always makes {WORDLLAMA_DIMENSIONS}.",
            hint="Leave VECTOR_DIMENSION out, or choose another AFN_EMBEDDER.",
            id="vectors.W001",
        )


def _strategy() -> Iterator[CheckMessage]:
    strategy = getattr(settings, "VECTOR_INDEX_TYPE", "") or StrategyName.AUTO
    if strategy not in StrategyName.values:
        yield Error(
            f"VECTOR_INDEX_TYPE is {strategy!r}.",
            hint="Choose one of " + ", ".join(StrategyName.values) + ".",
            id="vectors.E007",
        )
