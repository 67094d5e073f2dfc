"""What the pages of one collection have in common: who may see them, their head and their tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from vectors.admin import work
from vectors.admin.naming import Naming
from vectors.errors import EmbedderError, VectorError
from vectors.models import Collection

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin

    Show = Callable[[CollectionAdmin, HttpRequest, Collection], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """``name`` is the last part of its address, and of its URL name: ``vectors_collection_<name>``.

    Without a title it has no tab, and stands ``within`` another. One ``of_items`` shows what is in a
    collection, which may take a permission of the application that keeps it.
    """

    name: str
    title: Any
    show: Show
    of_items: bool = False
    within: str = ""

    @property
    def url_name(self) -> str:
        return f"vectors_collection_{self.name}"


def view_of(model_admin: CollectionAdmin, page: Page) -> Callable[..., HttpResponse]:
    """For a URL: the page of a collection that is there, for who may view it."""

    def view(request: HttpRequest, object_id: int) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        collection = model_admin.get_queryset(request).filter(pk=object_id).first()
        if collection is None:
            raise Http404(_("There is no such collection."))
        if page.of_items and not may_see_items(request, collection):
            raise PermissionDenied
        return page.show(model_admin, request, collection)

    return view


def naming_of(collection: Collection) -> Naming:
    from vectors.admin.collections import CollectionAdmin  # which knows these pages

    return CollectionAdmin.namings.get(collection.name, Naming())


def may_see_items(request: HttpRequest, collection: Collection) -> bool:
    permission = naming_of(collection).permission
    return not permission or request.user.has_perm(permission)


def check_change(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> None:
    """Raise PermissionDenied for whoever may only look."""
    if not model_admin.has_change_permission(request, collection):
        raise PermissionDenied


def render(
    model_admin: CollectionAdmin,
    request: HttpRequest,
    collection: Collection,
    name: str,
    context: dict[str, Any],
    **options: Any,
) -> TemplateResponse:
    """``admin/vectors/collection/<name>.html``, which extends ``page.html``, with its head and tabs."""
    shared = model_admin.admin_site.each_context(request) | head(model_admin, request, collection, name)
    shared |= {"title": collection.name, "opts": model_admin.opts, "original": collection}
    return TemplateResponse(request, f"admin/vectors/collection/{name}.html", shared | context, **options)


def head(
    model_admin: CollectionAdmin, request: HttpRequest, collection: Collection, current: str
) -> dict[str, Any]:
    """What ``head.html`` shows: also of the form, which is no such page."""
    return {
        "collection": collection,
        "collection_tabs": _tabs(request, collection, current),
        "may_change": model_admin.has_change_permission(request, collection),
        "may_see_items": may_see_items(request, collection),
        "has_background": work.background() is not None,
    }


def address(name: str, collection: Collection) -> str:
    return reverse(f"admin:vectors_collection_{name}", args=[collection.pk])


def back_to(name: str, collection: Collection) -> HttpResponseRedirect:
    return HttpResponseRedirect(address(name, collection))


def start_work(request: HttpRequest, kind: str, arguments: dict[str, Any]) -> None:
    """Have it done in the background; raises ``VectorError``, also where nobody offers that."""
    offered = work.background()
    if offered is None:
        raise VectorError("background", "an app that does jobs", "none", "Run the command instead.")
    offered.start(kind, arguments, request.user)


def status_of(error: VectorError | None) -> int:
    """Of a page that shows the error in place."""
    if error is None:
        return 200
    return 503 if isinstance(error, EmbedderError) else 400


def number(text: str | None, default: int = 0) -> int:
    """A count in an address; what is none counts as the default."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else default


def _tabs(request: HttpRequest, collection: Collection, current: str) -> list[dict[str, Any]]:
    from vectors.admin.pages import PAGES  # which knows the pages, that know this module

    current = next((page.within or page.name for page in PAGES if page.name == current), current)
    may_see = may_see_items(request, collection)
    shown = [page for page in PAGES if page.title and (may_see or not page.of_items)]
    return [
        {"title": title, "url": address(name, collection), "is_current": name == current}
        for name, title in (("change", _("Overview")), *((page.name, page.title) for page in shown))
    ]
