"""Projections as they were made last, in Django's cache: some 150 kB each, for a day."""

from __future__ import annotations

from typing import Final

from django.core.cache import cache

from vectors.models import Collection
from vectors.projection import Projection, Sample, draw_sample, project

_SECONDS: Final = 24 * 3_600


def kept(sample: Sample, method: str) -> Projection | None:
    """What was made of just these items, if it is there."""
    value = cache.get(_key(sample, method))
    return Projection.from_json(value) if value else None


def keep(
    collection: Collection, method: str, sample: Sample | None = None, *, using: str | None = None
) -> Projection:
    """Project a sample, drawn now unless there is one, and remember it."""
    sample = sample or draw_sample(collection, using=using)
    made = project(collection, sample, method, using=using)
    cache.set(_key(sample, method), made.as_json(), _SECONDS)
    return made


def _key(sample: Sample, method: str) -> str:
    return f"vectors:map:{method}:{sample.revision}"
