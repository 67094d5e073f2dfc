"""A collection's items, page by page, by a filter where wanted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from vectors.admin.filtering import parse_filter
from vectors.admin.pages.base import address, naming_of, number, render, status_of
from vectors.browsing import Head, HeadPage, scroll_heads
from vectors.errors import VectorError
from vectors.models import Collection

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

_PAGE: Final = 25
_SHOWN: Final = 8
_VALUE: Final = 60


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    text, after = request.GET.get("filter", ""), number(request.GET.get("after"))
    page, problem = HeadPage([], None), None
    try:
        page = scroll_heads(collection, after=after, limit=_PAGE, filter=parse_filter(text))
    except VectorError as error:
        problem = error
    following = {"after": page.next} | ({"filter": text} if text else {})
    return render(
        model_admin,
        request,
        collection,
        "items",
        {
            "filter": text,
            "after": after,
            "problem": problem,
            "items": [listed(collection, one) for one in page.heads],
            "next": f"?{urlencode(following)}" if page.next is not None else "",
        },
        status=status_of(problem),
    )


def listed(collection: Collection, one: Head) -> dict[str, Any]:
    """For ``listed.html``."""
    return {
        "key": one.key,
        "title": one.title,
        "start": one.start,
        "is_cut": one.is_cut,
        "metadata": chips(one.metadata),
        "url": item_url(collection, one.key),
    }


def item_url(collection: Collection, key: str) -> str:
    return f"{address('item', collection)}?{urlencode({'key': key})}"


def page_url(collection: Collection, key: str) -> str:
    """The item's own page, where its application has one, else that of here."""
    url = naming_of(collection).url
    return url(key) if url else item_url(collection, key)


def chips(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """The first fields of metadata, short enough for a line."""
    found = ((name, value if isinstance(value, str) else _compact(value)) for name, value in metadata.items())
    filled = [(name, text) for name, text in found if text not in ("", "null", "[]", "{}")]
    return [(name, text if len(text) <= _VALUE else f"{text[:_VALUE]}…") for name, text in filled[:_SHOWN]]


def _compact(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
