"""Set the keyword weights of a collection, one for each of the two languages that search tells apart."""

from __future__ import annotations

from vectors.errors import InvalidCollection, shown
from vectors.models import Collection
from vectors.relevance.measuring import current_weights


def apply(collection: Collection, *, other: float | None, cjk: float | None) -> None:
    """Save keyword weights, 0…1: for queries mostly in CJK characters and for all others.

    None leaves that language as it searches now. Where it searched by what the embedder declares safe, and
    would no longer once the other weight is set, that is written down as its own. Raises InvalidCollection.
    """
    for field, weight in (("keyword_weight", other), ("keyword_weight_cjk", cjk)):
        if weight is not None and not 0 <= weight <= 1:
            raise InvalidCollection(field, "a number from 0 to 1", shown(weight))
    if cjk is None and other is not None and collection.keyword_weight_cjk is None:
        cjk = current_weights(collection)["cjk"]
    if other is not None:
        collection.keyword_weight = other
    if cjk is not None:
        collection.keyword_weight_cjk = cjk
    collection.save(update_fields=["keyword_weight", "keyword_weight_cjk", "updated_at"])
