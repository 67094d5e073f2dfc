"""Jobs in the console: to look at, to cancel, to try again, and to start."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ops import console
from prompts.admin.logs import LogAdmin
from prompts.errors import RegistryProblem
from prompts.models import User

from . import changing, offers, pages, registry, words
from .cells import Cells
from .models import OPEN, Job, JobState
from .related import starter_of

# Of the others there may be any number.
_COUNTED = (JobState.WAITING, JobState.RUNNING, JobState.FAILED)


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, words.title_of(kind.name)) for kind in registry.kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(kind=self.value()) if self.value() else None


@admin.register(Job)
class JobAdmin(LogAdmin):
    empty_help = _(
        "What takes long is done in the background and shows up here: backups, indexing, measuring. "
        "Schedules and people start it."
    )
    list_display = ("what", "shown_state", "progress", "attempt", "created", "took", "by", "short_cause")
    list_filter = ("state", KindFilter)
    search_fields = ("id__exact", "kind__startswith", "actor_name__startswith")
    search_help_text = _("A job's id, the start of its kind, or of the name of who started it.")
    actions = ("retry_these", "cancel_these")
    list_before_template = "admin/ops/job/list_head.html"
    fields = readonly_fields = ("what",)

    class Media:
        css = {"all": ("afn/ops.css",)}
        js = (console.SCRIPT,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("result")  # which may be long, and is on no list

    def get_urls(self) -> list[URLPattern]:
        return [*pages.urls(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context is not None and "cl" in context:
            context |= self._head(request, context["cl"])
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        job = Job.objects.filter(pk=unquote(object_id)).first()
        if job is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return pages.job_page(request, job)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(offers.PERMISSION))

    @admin.action(description=_("Try again"), permissions=["act"])
    def retry_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = _for_each(request, queryset, changing.retry)
        if count:
            text = ngettext("%(count)s waiting again.", "%(count)s waiting again.", count)
            messages.success(request, text % {"count": count})

    @admin.action(description=_("Cancel"), permissions=["act"])
    def cancel_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = _for_each(request, queryset, changing.cancel)
        if count:
            text = ngettext(
                "%(count)s cancelled, or about to end.", "%(count)s cancelled, or about to end.", count
            )
            messages.success(request, text % {"count": count})

    @display(description=_("Job"), ordering="kind")
    def what(self, job: Job) -> str:
        return words.describe(job)

    @display(description=_("State"), ordering="state")
    def shown_state(self, job: Job) -> SafeString:
        return Cells(job).in_place("state")

    @display(description=_("Progress"))
    def progress(self, job: Job) -> SafeString:
        return Cells(job).in_place("progress")

    @display(description=_("Attempts"))
    def attempt(self, job: Job) -> str:
        return words.attempts_of(job)

    @display(description=_("Created"), ordering="created_at")
    def created(self, job: Job) -> SafeString | str:
        return console.local_time(job.created_at)

    @display(description=_("Took"))
    def took(self, job: Job) -> SafeString:
        return Cells(job).in_place("took")

    @display(description=_("Started by"))
    def by(self, job: Job) -> str:
        return starter_of(job)

    @display(description=_("Cause"))
    def short_cause(self, job: Job) -> str:
        return Truncator(job.cause).chars(80) or "–"

    def _head(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        """The chips above the list, and the jobs of this page that go on."""
        rows = Job.objects.filter(state__in=_COUNTED).order_by()
        counts = dict(rows.values_list("state").annotate(number=Count("pk")))
        chosen = request.GET.get("state__exact", "")
        chips = [
            {
                "title": words.state_word(state) if state else gettext("All"),
                "count": counts.get(state),
                "is_current": chosen == state,
                "url": cl.get_query_string({"state__exact": state} if state else {}, ["p", "state__exact"]),
                "state": state,
            }
            for state in ("", *JobState.values)
        ]
        return {
            "chips": chips,
            "live_keys": [job.pk for job in cl.result_list if job.state in OPEN],
            "may_start": bool(offers.offered(request.user)),
        }


def _for_each(request: HttpRequest, queryset: QuerySet, act: Callable[[Job, User | None], Job]) -> int:
    user, count = console.actor(request), 0
    for job in queryset:
        try:
            act(job, user)
            count += 1
        except RegistryProblem as problem:
            messages.error(request, f"{words.title_of(job.kind)}: {problem}")
    return count
