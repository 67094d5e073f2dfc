"""Jobs in the console: to look at, to cancel and to try again."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from prompts.errors import RegistryProblem
from prompts.models import User
from vectors.admin.display import short_time

from . import changing, registry
from .models import Job, JobState

_COLOURS = {
    "waiting": "warning",
    "running": "info",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "default",
}


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.title) for kind in registry.kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(kind=self.value()) if self.value() else None


@admin.register(Job)
class JobAdmin(LogAdmin):
    list_display = ("what", "shown_state", "progress", "attempt", "created", "took", "by", "short_cause")
    list_filter = ("state", KindFilter)
    search_fields = ("id__exact", "kind__startswith", "actor_name__startswith")
    search_help_text = "A job's id, the start of its kind, or of the name of who started it."
    actions = ("retry_these", "cancel_these")
    fields = (
        "what", "id", "shown_state", "progress", "attempt", "cause", "shown_arguments", "shown_result", "by",
        "created_at", "not_before", "started_at", "finished_at", "took", "cancel_requested_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("result")  # which may be long, and is on no list

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ops.change_job"))

    @admin.action(description="Try again", permissions=["act"])
    def retry_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        _for_each(request, queryset, changing.retry, "waiting again")

    @admin.action(description="Cancel", permissions=["act"])
    def cancel_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        _for_each(request, queryset, changing.cancel, "cancelled, or about to end")

    @display(description="Job", ordering="kind")
    def what(self, job: Job) -> str:
        return registry.describe(job.kind, job.arguments)

    @display(description="State", ordering="state", label=_COLOURS)
    def shown_state(self, job: Job) -> str:
        return str(job.state)

    @display(description="Progress")
    def progress(self, job: Job) -> SafeString | str:
        text = f"{job.done:,}" if job.total is None else f"{job.done:,} / {job.total:,}"
        text = f"{text} {job.message}".strip()
        if job.state == JobState.RUNNING and job.cancel_requested_at:
            text += " · to be cancelled"
        if not job.total:
            return text if job.done or job.message or job.cancel_requested_at else "–"
        bar = '<span class="afn-score"><progress max="{}" value="{}"></progress> {}</span>'
        return format_html(bar, job.total, min(job.done, job.total), text)

    @display(description="Attempts")
    def attempt(self, job: Job) -> str:
        return f"{job.attempts} of {job.max_attempts}"

    @display(description="Created", ordering="created_at")
    def created(self, job: Job) -> str:
        return short_time(job.created_at)

    @display(description="Took")
    def took(self, job: Job) -> str:
        if job.started_at is None:
            return "–"
        if job.state == JobState.RUNNING:
            return f"{timesince(job.started_at, depth=1)} so far"
        return "–" if job.seconds is None else duration(job.seconds)

    @display(description="Started by")
    def by(self, job: Job) -> str:
        return job.actor_name or job.slot.rpartition(" ")[0] or "–"

    @display(description="Cause")
    def short_cause(self, job: Job) -> str:
        return Truncator(job.cause).chars(80) or "–"

    @display(description="Arguments")
    def shown_arguments(self, job: Job) -> SafeString | str:
        return _as_text(job.arguments)

    @display(description="Result")
    def shown_result(self, job: Job) -> SafeString | str:
        return _as_text(job.result)


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _as_text(value: Any) -> SafeString | str:
    if not value:
        return "–"
    return format_html('<pre class="afn-text">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def _for_each(
    request: HttpRequest, queryset: QuerySet, act: Callable[[Job, User | None], Job], done: str
) -> None:
    user = request.user if isinstance(request.user, User) else None
    count = 0
    for job in queryset:
        try:
            act(job, user)
            count += 1
        except RegistryProblem as problem:
            messages.error(request, f"{registry.title_of(job.kind)}: {problem}")
    if count:
        messages.success(request, f"{count} {done}.")
