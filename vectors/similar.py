"""Search for what is like an item, and several searches at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vectors.catalogue import get_collection
from vectors.errors import InvalidFilter, InvalidQuery, InvalidVector, shown
from vectors.limits import MAX_K, MAX_KEY, MAX_SEARCHES
from vectors.models import Collection
from vectors.reading import vectors_by_key
from vectors.search import Hit, SearchResult, search
from vectors.validation import check_text


def search_similar(
    collection: Collection | str,
    key: str,
    query: str | None = None,
    *,
    k: int = 10,
    using: str | None = None,
    **options: Any,
) -> SearchResult:
    """The best `k` (1…999) other items by the stored embedding of the item `key`, and by `query` where given.

    The options are those of `search`, save `vector`. Raises InvalidQuery also where there is no such item.
    """
    check_text(key, "key", minimum=1, maximum=MAX_KEY, error=InvalidQuery)
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k < MAX_K:
        raise InvalidQuery("k", f"an integer from 1 to {MAX_K - 1:,} beside a key", shown(k))
    found = get_collection(collection, using=using) if isinstance(collection, str) else collection
    vector = vectors_by_key(found, [key], using=using).get(key)
    if vector is None:
        raise InvalidQuery("key", f"the key of an item in {shown(found.name)}", shown(key))
    # One more, as the item itself is the nearest, unless a filter leaves it out.
    result = search(collection, query, vector=vector, k=k + 1, using=using, **options)
    return replace(result, hits=_without(key, result.hits)[:k])


def search_many(
    collection: Collection | str, searches: Sequence[Mapping[str, Any]], *, using: str | None = None
) -> list[SearchResult]:
    """Up to 50 searches, each the arguments of `search`, or of `search_similar` where it has a `key`.

    All or none: the error of the first that is wrong names it, as in `searches[3].k`.
    """
    if not 1 <= len(searches) <= MAX_SEARCHES:
        raise InvalidQuery("searches", f"1 to {MAX_SEARCHES} searches", f"{len(searches):,}")
    results = []
    for number, arguments in enumerate(searches):
        one = {"using": using, **arguments}
        try:
            results.append((search if one.get("key") is None else search_similar)(collection, **one))
        except (InvalidFilter, InvalidQuery, InvalidVector) as error:
            at = f"searches[{number}].{error.field}"
            raise type(error)(at, error.expected, error.got, error.hint) from error
    return results


def _without(key: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits without the item of that key, whose places the later ones move up to."""
    own = next((hit.ranks for hit in hits if hit.key == key), {})

    def moved(leg: str, rank: int | None) -> int | None:
        place = own.get(leg)
        return rank - 1 if rank is not None and place is not None and rank > place else rank

    return [
        replace(hit, ranks={leg: moved(leg, rank) for leg, rank in hit.ranks.items()})
        for hit in hits
        if hit.key != key
    ]
