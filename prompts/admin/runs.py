"""Evaluation runs in the console: their list, with what is running now, and who may begin and cancel them."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from vectors.admin.display import count, score_bar, short_time

from ..evaluating import figures
from ..models import EvaluationRun, Prompt
from . import run_outputs, run_pages
from .logs import LogAdmin
from .run_pages import RUN_COLOURS, money, took

ADD, CHANGE, VIEW = (f"prompts.{action}_evaluationrun" for action in ("add", "change", "view"))


class PromptFilter(admin.SimpleListFilter):
    """The one that the address names: there may be too many to choose from."""

    title = gettext_lazy("prompt")
    parameter_name = "prompt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name)
        return list(Prompt.objects.filter(pk=asked).values_list("pk", "name")) if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(prompt=self.value()) if self.value() else None


class RunList(ChangeList):
    """With the figures of the runs on the page, by two statements."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        known = figures.of_runs(self.result_list)
        for run in self.result_list:
            run.figures = known[run.pk]


@admin.register(EvaluationRun)
class RunAdmin(LogAdmin):
    empty_help = gettext_lazy(
        "A run tries a version on the items of a dataset and judges what comes out. Make a dataset first."
    )
    list_display = ("what", "of_version", "dataset", "shown_status", "progress", "mean", "spent", "tokens",
                    "duration", "begun")  # fmt: skip
    list_filter = ("status", ("dataset", admin.RelatedOnlyFieldListFilter), PromptFilter)
    list_select_related = ("prompt", "version", "dataset")
    search_fields = ("name", "prompt__name", "dataset__name", "model")
    ordering = ("-created_at",)
    list_before_template = "admin/prompts/evaluationrun/before_list.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return RunList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).filter(prompt__deleted_at=None)
        return rows.defer("metrics", "parameters", *_CONTENTS)

    def get_urls(self) -> list[Any]:
        def page(address: str, show: Callable[..., HttpResponse], name: str) -> Any:
            return path(address, self.admin_site.admin_view(show), name=f"prompts_evaluationrun_{name}")

        return [
            page("compare/", self.compare_view, "compare"),
            page("running/", self.running_view, "running"),
            page("<str:object_id>/progress/", self.progress_view, "progress"),
            page("<str:object_id>/cancel/", self.cancel_view, "cancel"),
            page("<str:object_id>/outputs/", self.outputs_view, "outputs"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ADD))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only together with its prompt."""
        match = request.resolver_match
        is_own = match and str(match.url_name).startswith("prompts_evaluationrun_")
        return not is_own and bool(request.user.has_perm("prompts.delete_evaluationrun"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        found = super().changelist_view(request, run_pages.running() | (extra_context or {}))
        return cast(HttpResponse, found)

    def add_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return run_pages.add(self, request)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """Nothing of it is changed: it is shown."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_object(request, object_id)
        if run is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        return run_pages.show(self, request, run)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        self._check_view(request)
        return run_pages.compare(self, request)

    def running_view(self, request: HttpRequest) -> HttpResponse:
        self._check_view(request)
        return run_pages.running_now(request)

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._check_view(request)
        return run_pages.progress(request, self._run(request, object_id))

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._check_view(request)
        if request.method != "POST" or not request.user.has_perm(CHANGE):
            raise PermissionDenied
        return run_pages.cancel(request, self._run(request, object_id))

    def outputs_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Outputs sent in; the run's own page has the form."""
        self._check_view(request)
        if not request.user.has_perm(run_outputs.SEND):
            raise PermissionDenied
        run = self._run(request, object_id)
        if request.method == "POST" and (kept := run_outputs.send(request, run)):
            return run_pages.show(self, request, run, kept)
        return HttpResponseRedirect(reverse("admin:prompts_evaluationrun_change", args=[run.pk]))

    def _check_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _run(self, request: HttpRequest, object_id: str) -> EvaluationRun:
        run: EvaluationRun | None = self.get_object(request, object_id)
        if run is None:
            raise Http404(_("There is no such run."))
        return run

    @display(description=gettext_lazy("Run"), ordering="created_at")
    def what(self, run: EvaluationRun) -> str:
        return run.name or run.model or _("Outputs sent in")

    @display(description=gettext_lazy("Prompt"))
    def of_version(self, run: EvaluationRun) -> str:
        return f"{run.prompt.name} v{run.version.version}"

    @display(description=gettext_lazy("Status"), ordering="status", label=RUN_COLOURS)
    def shown_status(self, run: EvaluationRun) -> tuple[str, Any]:
        return run.status, run_pages.status_name(run.status)

    @display(description=gettext_lazy("Items"))
    def progress(self, run: Any) -> SafeString:
        return figure(f"{count(run.figures.done)} / {count(run.total)}")

    @display(description=gettext_lazy("Mean score"))
    def mean(self, run: Any) -> SafeString | str:
        return "–" if run.figures.mean is None else score_bar(run.figures.mean)

    @display(description=gettext_lazy("Cost"), ordering="cost")
    def spent(self, run: EvaluationRun) -> str:
        return money(run.cost)

    @display(description=gettext_lazy("Tokens"))
    def tokens(self, run: Any) -> str:
        return count(run.figures.tokens) if run.figures.tokens else "–"

    @display(description=gettext_lazy("Duration"))
    def duration(self, run: EvaluationRun) -> str:
        return took(run)

    @display(description=gettext_lazy("Begun"), ordering="created_at")
    def begun(self, run: EvaluationRun) -> SafeString:
        return figure(short_time(run.created_at))


def figure(text: str) -> SafeString:
    """Which no line ends within."""
    return format_html('<span class="afn-figure">{}</span>', text)


_CONTENTS = tuple(
    f"{table}__{name}" for table in ("prompt", "version") for name in ("content", "config", "variables")
)
