"""Datasets in the console: made and filled there or by the API, and read."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from vectors.admin.display import count, short_time

from ..models import Dataset, DatasetItem, EvaluationRun
from . import dataset_pages
from .dataset_forms import ItemsForm
from .items import shown
from .logs import LogAdmin

ITEMS = 50  # a page
RUNS = 10


class DatasetList(ChangeList):
    """With the numbers of items and runs of what is on the page, by two statements."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        keys = [dataset.pk for dataset in self.result_list]
        items, runs = (_counts(model, keys) for model in (DatasetItem, EvaluationRun))
        for dataset in self.result_list:
            dataset.item_count, dataset.run_count = items.get(dataset.pk, 0), runs.get(dataset.pk, 0)


def _counts(model: Any, keys: list[str]) -> dict[str, int]:
    rows = model.objects.filter(dataset__in=keys).order_by().values("dataset").annotate(number=Count("pk"))
    return {row["dataset"]: row["number"] for row in rows}


@admin.register(Dataset)
class DatasetAdmin(LogAdmin):
    empty_help = gettext_lazy(
        "A dataset is what prompts are tried on: what goes in, and what is expected to come out. Make one "
        "from a CSV or JSON Lines file, or by the API."
    )
    list_display = ("name", "description", "items", "runs", "updated")
    search_fields = ("name", "description")
    list_before_template = "admin/prompts/dataset/before_list.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return DatasetList

    def get_urls(self) -> list[Any]:
        def page(address: str, show: Callable[..., HttpResponse], name: str) -> Any:
            return path(address, self.admin_site.admin_view(show), name=f"prompts_dataset_{name}")

        return [page("<str:object_id>/items/", self.items_view, "items"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("prompts.add_dataset"))

    def add_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return dataset_pages.add(self, request)

    def items_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Items put in; the dataset's own page has the form."""
        if not self.has_view_permission(request) or not request.user.has_perm(dataset_pages.FILL):
            raise PermissionDenied
        dataset = self.get_object(request, object_id)
        if dataset is None:
            raise Http404(_("There is no such dataset."))
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:prompts_dataset_change", args=[dataset.pk]))
        found = dataset_pages.put(request, dataset)
        return _page(self, request, dataset, found) if isinstance(found, ItemsForm) else found

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """Nothing of it is changed: it is shown."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        dataset = self.get_object(request, object_id)
        if dataset is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        return _page(self, request, dataset)

    @display(description=gettext_lazy("Items"))
    def items(self, dataset: Any) -> str:
        return count(dataset.item_count)

    @display(description=gettext_lazy("Runs"))
    def runs(self, dataset: Any) -> str:
        return count(dataset.run_count)

    @display(description=gettext_lazy("Updated"), ordering="updated_at")
    def updated(self, dataset: Dataset) -> str:
        return short_time(dataset.updated_at)


def _page(
    model_admin: DatasetAdmin, request: HttpRequest, dataset: Dataset, form: ItemsForm | None = None
) -> HttpResponse:
    """Its items by key, a page after the other; ``q`` is how the key begins."""
    query, after = request.GET.get("q", "").strip()[:255], request.GET.get("after", "")[:255]
    items = DatasetItem.objects.filter(dataset=dataset.pk)
    if query:
        items = items.filter(key__startswith=query)
    if after:
        items = items.filter(key__gt=after)
    found = list(items.order_by("key")[: ITEMS + 1])
    runs: Any = []
    if request.user.has_perm("prompts.view_evaluationrun"):
        runs = EvaluationRun.objects.filter(dataset=dataset.pk, prompt__deleted_at=None)
        runs = runs.select_related("prompt", "version").only(
            "name", "status", "created_at", "prompt__name", "version__version"
        )[:RUNS]
    return TemplateResponse(
        request,
        "admin/prompts/dataset/dataset.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": dataset.name,
            "opts": model_admin.opts,
            "original": dataset,
            "dataset": dataset,
            "total": dataset.items.count(),
            "items": [shown(item) for item in found[:ITEMS]],
            "next_after": found[ITEMS - 1].key if len(found) > ITEMS else "",
            "after": after,
            "query": query,
            "runs": runs,
            "form": form or ItemsForm(),
            "may_fill": request.user.has_perm(dataset_pages.FILL),
        },
    )
