"""Near-identical items in groups: at once where they are few, in the background where they are many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from vectors.admin.pages.base import (
    address,
    back_to,
    check_change,
    render,
    start_work,
    status_of,
)
from vectors.admin.pages.items import page_url
from vectors.admin.pages.progress import progress
from vectors.duplicates.finding import find_duplicates
from vectors.duplicates.thresholds import DEFAULT, Threshold
from vectors.errors import InvalidQuery, VectorError, shown
from vectors.models import Collection, Metric
from vectors.reading import count

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

# Compared each with every other while somebody waits: a fifth of a second.
_QUICK: Final = 2_000
_MEMBERS: Final = 20


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    if request.method == "POST":
        return _start(model_admin, request, collection)
    rows = count(collection)
    given = request.GET.get("threshold", "" if collection.metric == Metric.L2 else str(DEFAULT))
    found: Mapping[str, Any] | None = None
    problem: VectorError | None = None
    is_quick = rows <= _QUICK
    work = progress(request, collection, "find_duplicates")
    last = work["work"]
    if is_quick and rows and given:
        try:
            found = asdict(find_duplicates(collection, _threshold(given)))
        except VectorError as error:
            problem = error
    elif not is_quick and last is not None and last.state == "succeeded" and "groups" in last.result:
        found, given = last.result, str(last.result["threshold"])
    return render(
        model_admin,
        request,
        collection,
        "duplicates",
        {
            "rows": rows,
            "is_quick": is_quick,
            "is_cosine": collection.metric != Metric.L2,
            "threshold": given,
            "found": found,
            "groups": [_group(collection, group) for group in found["groups"]] if found else [],
            "problem": problem,
            **({} if is_quick else work),
        },
        status=status_of(problem),
    )


def _start(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    check_change(model_admin, request, collection)
    try:
        value = _threshold(request.POST.get("threshold", ""))
        Threshold(collection.metric, value)
        exact = request.POST.get("exact") == "on"
        arguments = {"collection": collection.name, "threshold": value, "exact": exact}
        start_work(request, "find_duplicates", arguments)
    except VectorError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Items are compared in the background."))
    return back_to("duplicates", collection)


def _threshold(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidQuery("threshold", "a number", shown(text[:64])) from error


def _group(collection: Collection, group: Mapping[str, Any]) -> dict[str, Any]:
    first = group["representative"]
    members = group["members"][:_MEMBERS]
    return {
        "size": group["size"],
        "first": first,
        "first_url": page_url(collection, first["key"]),
        "members": [
            {
                **member,
                "url": page_url(collection, member["key"]),
                "compare": _compare(collection, first["key"], member["key"]),
            }
            for member in members
        ],
        "more": group["size"] - 1 - len(members),
    }


def _compare(collection: Collection, one: str, other: str) -> str:
    return f"{address('compare', collection)}?{urlencode({'one': one, 'other': other})}"
