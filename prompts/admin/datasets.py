"""Datasets in the console, to read: they are filled by the API, which takes thousands of items at a time."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from vectors.admin.display import count, short_time

from ..models import Dataset, DatasetItem, EvaluationRun
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
        "A dataset has the items that prompts are tried on. Make one by the API: POST "
        "/api/v1/datasets, then PUT /api/v1/datasets/NAME/items."
    )
    list_display = ("name", "description", "items", "runs", "updated")
    search_fields = ("name", "description")
    list_before_template = "admin/prompts/dataset/before_list.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return DatasetList

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


def _page(model_admin: DatasetAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
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
        },
    )
