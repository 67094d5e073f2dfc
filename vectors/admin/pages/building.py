"""The button that builds a collection's index anew: no page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from vectors.admin.pages.base import back_to, check_change, start_work
from vectors.errors import VectorError
from vectors.models import Collection

if TYPE_CHECKING:
    from vectors.admin.collections import CollectionAdmin


def show(model_admin: CollectionAdmin, request: HttpRequest, collection: Collection) -> HttpResponse:
    check_change(model_admin, request, collection)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        start_work(request, "rebuild_index", {"collection": collection.name})
    except VectorError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The index is built anew; searches go on meanwhile."))
    return back_to("change", collection)
