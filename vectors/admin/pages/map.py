"""A collection on a plane: a sample of its items, near where their embeddings are near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vectors import projection_cache
from vectors.admin.charts import Axis, Chart, Point, Series
from vectors.admin.grouping import Grouping, groupings
from vectors.admin.pages.base import back_to, check_change, naming_of, render, start_work
from vectors.admin.pages.items import page_url
from vectors.admin.pages.progress import progress
from vectors.browsing import Head, heads_of
from vectors.errors import VectorError
from vectors.models import Collection
from vectors.projection import MAX_ITEMS, METHODS, Projection, draw_sample, is_quick, methods

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

TITLES: Final = {"pca": gettext_lazy("Principal components (PCA)"), "umap": gettext_lazy("UMAP")}
_TEXT: Final = 80


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    offered = methods()
    if request.method == "POST":
        return _start(model_admin, request, collection)
    method = request.GET.get("method", "")
    method = method if method in offered else offered[0]
    sample = draw_sample(collection)
    made = projection_cache.kept(sample, method) if len(sample.ids) else None
    if made is None and len(sample.ids) and is_quick(sample, collection, method):
        made = projection_cache.keep(collection, method, sample)
    return render(
        model_admin,
        request,
        collection,
        "map",
        {
            "sample": sample,
            "most": MAX_ITEMS,
            "method": method,
            "methods": [(name, TITLES[name]) for name in offered],
            "projection": made,
            "shares": sum(made.explained) if made and made.explained else None,
            **(_drawn(collection, made, request.GET.get("colour", "")) if made else {}),
            **progress(request, collection, "map_items"),
        },
    )


def _start(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    check_change(model_admin, request, collection)
    method = request.POST.get("method", "")
    arguments = {"collection": collection.name, "method": method if method in METHODS else METHODS[0]}
    try:
        start_work(request, "map_items", arguments)
    except VectorError as error:
        messages.error(request, str(error))
    return back_to("map", collection)


def _drawn(collection: Collection, made: Projection, colour: str) -> dict[str, Any]:
    heads = {head.id: head for head in heads_of(collection, made.ids.tolist(), characters=_TEXT)}
    places = [(at, heads[number]) for at, number in enumerate(made.ids.tolist()) if number in heads]
    naming = naming_of(collection)
    offered = groupings([head for _at, head in places], made.clusters[[at for at, _head in places]], naming)
    chosen = next((one for one in offered if one.name == colour), offered[0])
    return {
        "groupings": offered,
        "colour": chosen.name,
        "chart": _chart(collection, made, places, chosen),
    }


def _chart(
    collection: Collection, made: Projection, places: list[tuple[int, Head]], grouping: Grouping
) -> Chart:
    is_named = naming_of(collection).url is not None
    points: dict[str, list[Point]] = {name: [] for name in grouping.names}
    for (at, head), name in zip(places, grouping.values, strict=True):
        x, y = made.points[at].tolist()
        address = page_url(collection, head.key)
        points[name].append(Point(round(x, 4), round(y, 4), text=_text(head, is_named), url=address))
    series = [Series(name, found, "points") for name, found in points.items()]
    title = _("Items of %(name)s by %(group)s") % {"name": collection.name, "group": grouping.title}
    return Chart("map", title, series, _axis(0, made), _axis(1, made), can_zoom=True)


def _text(head: Head, is_named: bool) -> str:
    """What hovering shows: the title, or the start of the text; and what metadata there is."""
    start = head.title or (f"{head.start}…" if head.is_cut else head.start)
    text = " ".join(start.split())[:_TEXT]
    return text if is_named or not head.metadata else f"{text} ({', '.join(list(head.metadata)[:6])})"


def _axis(at: int, made: Projection) -> Axis:
    if made.explained is None:
        return Axis()
    share = {"number": at + 1, "share": f"{100 * made.explained[at]:.1f}"}
    return Axis(_("direction %(number)s: %(share)s %% of the variance") % share)
