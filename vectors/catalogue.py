"""Create, find and delete collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, router
from django.db.models import Q, QuerySet

from vectors.embedders import default_name, get_embedder
from vectors.errors import CollectionNotFound, InvalidCollection, shown
from vectors.limits import MAX_DIMENSIONS, MAX_NAME
from vectors.metadata_schema import parse as parse_schema
from vectors.models import Collection, Metric, StrategyName, new_generation
from vectors.validation import check_text, is_storable

# The spare spaces of `vectors.migrating`: nobody can give a collection a slash, nor ask for one in a URL.
HIDDEN: Final = Q(name__contains="/")


def create_collection(
    name: str,
    *,
    embedder: str | None = None,
    model: str = "",
    dimensions: int | None = None,
    metric: str | None = None,
    strategy: str | None = None,
    keyword_weight: float | None = None,
    keyword_weight_cjk: float | None = None,
    metadata_schema: Mapping[str, Any] | None = None,
    metadata_strict: bool = False,
    using: str | None = None,
    save: bool = True,
) -> Collection:
    """Create a collection and its tables, or, unless `save`, just the object, to check items against.

    `embedder` None takes the default one, "" none: then the caller brings the vectors and `dimensions` is a
    must. `metric` ("cosine", "l2") and `strategy` ("auto", "exact", "quantised", "ivf", "diskann") default to
    settings.VECTOR_METRIC and VECTOR_INDEX_TYPE, or to the first named here. `metadata_schema` gives the
    types of metadata fields (see `vectors.metadata_schema`); `metadata_strict` refuses all others. Raises
    InvalidCollection (also where the name is taken) or EmbedderError.
    """
    metric = metric or str(getattr(settings, "VECTOR_METRIC", "") or Metric.COSINE)
    strategy = strategy or str(getattr(settings, "VECTOR_INDEX_TYPE", "") or StrategyName.AUTO)
    embedder = default_name() if embedder is None else embedder
    _check(name, metric, strategy)
    _check_weight("keyword_weight", keyword_weight)
    _check_weight("keyword_weight_cjk", keyword_weight_cjk)
    if embedder:
        chosen = get_embedder(embedder, model=model, dimensions=dimensions)
        model, dimensions = chosen.model, chosen.dimensions
    if not isinstance(dimensions, int) or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise InvalidCollection("dimensions", f"an integer from 1 to {MAX_DIMENSIONS:,}", shown(dimensions))
    schema = parse_schema(metadata_schema or {}, strict=metadata_strict)
    collection = Collection(
        name=name,
        embedder=embedder,
        model=model,
        dimensions=dimensions,
        metric=metric,
        strategy=strategy,
        keyword_weight=keyword_weight,
        keyword_weight_cjk=keyword_weight_cjk,
        metadata_schema=schema.as_stored(),
    )
    if not save:
        return collection
    try:
        collection.save(using=using or router.db_for_write(Collection))
    except IntegrityError as error:
        if "name" not in str(error):
            raise
        raise InvalidCollection("name", "one that is not taken", shown(name)) from error
    return collection


def get_collection(name: str, *, using: str | None = None) -> Collection:
    """The collection of that name; raises CollectionNotFound."""
    named = Collection.objects.using(using or router.db_for_read(Collection)).filter(name=name)
    collection = named.first() if is_storable(name) else None
    if collection is None:
        raise CollectionNotFound("collection", "the name of a collection", shown(name))
    return collection


def visible_collections(using: str | None = None) -> QuerySet[Collection]:
    """All collections by name, without the spare spaces of migrations."""
    return Collection.objects.using(using or router.db_for_read(Collection)).exclude(HIDDEN)


def delete_collection(name: str, *, using: str | None = None) -> None:
    """Delete a collection with all its items; raises CollectionNotFound."""
    get_collection(name, using=using or router.db_for_write(Collection)).delete()


def renew_generation(collection: Collection) -> None:
    """Tell all processes that the rows were replaced behind this library's back (a restored backup)."""
    collection.generation = new_generation()
    collection.save(update_fields=["generation", "updated_at"])


def _check(name: str, metric: str, strategy: str) -> None:
    check_text(name, "name", minimum=1, maximum=MAX_NAME, error=InvalidCollection)
    if name != name.strip() or "/" in name or not name.isprintable():
        raise InvalidCollection("name", "printable text without / and without space around it", shown(name))
    if name in (".", ".."):  # clients resolve them as steps of a path
        raise InvalidCollection("name", "a name other than . and ..", shown(name))
    if metric not in Metric.values:
        raise InvalidCollection("metric", " or ".join(Metric.values), shown(metric))
    if strategy not in StrategyName.values:
        raise InvalidCollection("strategy", ", ".join(StrategyName.values), shown(strategy))


def _check_weight(field: str, weight: float | None) -> None:
    if weight is not None and not 0 <= weight <= 1:
        raise InvalidCollection(field, "a number from 0 to 1", shown(weight))
