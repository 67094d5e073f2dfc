"""Schedules in the console, in place of the pages that django-celery-beat brings."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.decorators import display

from ops import console
from ops.jobs import starting
from ops.jobs import words as job_words
from ops.jobs.models import Job
from prompts.errors import RegistryProblem
from vectors.admin.display import count

from . import offers, words
from .forms import CrontabForm, IntervalForm, ScheduleForm
from .moments import next_run
from .results import last_jobs

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)
# What the pages call them.
_NAMES = {
    PeriodicTask: (_("schedule"), _("schedules")),
    CrontabSchedule: (_("fixed times"), _("fixed times")),
    IntervalSchedule: (_("interval"), _("intervals")),
}
for _model, (_name, _names) in _NAMES.items():
    _model._meta.verbose_name, _model._meta.verbose_name_plural = _name, _names
apps.get_app_config("django_celery_beat").verbose_name = _("Operations")
_CHANGE = "django_celery_beat.change_periodictask"
_LIST = "admin:django_celery_beat_periodictask_changelist"


@admin.register(PeriodicTask)
class ScheduleAdmin(ModelAdmin):
    form = ScheduleForm
    empty_help = _(
        "A schedule starts a job again and again, such as the backup of every night. Run init_db to "
        "have those that AFN brings along."
    )
    list_display = ("title", "about", "when", "next_time", "last_run", "last_result", "switch")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name",)
    show_full_result_count = False
    actions = ("turn_on", "turn_off", "start_now")
    list_after_template = "admin/ops/schedules/after.html"
    fields = (
        "name", "what", "arguments", "crontab", "interval", "enabled", "description", "next_time",
        "last_run", "times",
    )  # fmt: skip
    readonly_fields = ("next_time", "last_run", "times")

    class Media:
        css = {"all": ("afn/ops.css",)}
        js = (console.SCRIPT,)

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()

    def get_urls(self) -> list[URLPattern]:
        turn = console.page(self.turn_view, _CHANGE, "POST")
        start = console.page(self.start_view, _CHANGE, "POST")
        name = "django_celery_beat_periodictask"
        return [
            path("<int:key>/turn/<str:to>/", turn, name=f"{name}_turn"),
            path("<int:key>/start/", start, name=f"{name}_start"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (
                "name", "what_it_does", "when", "enabled", "description", "next_time", "last_run", "times"
            )  # fmt: skip
        return self.fields if obj is not None else self.fields[:-3]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = (*self.readonly_fields, "what_it_does", "when")
        return fields if obj is not None and not self.has_change_permission(request, obj) else fields[:3]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context is not None and "cl" in context:
            rows = context["cl"].result_list
            jobs, may = last_jobs(rows), request.user.has_perm(_CHANGE)
            for schedule in rows:  # for the cells below, which see nothing but a row
                schedule.last_job, schedule.may_change = jobs.get(schedule.name), may
        return response

    def turn_view(self, request: HttpRequest, key: int, to: str) -> HttpResponse:
        """One on or off, which is the same however often it is asked."""
        schedule = _found(key)
        if to not in ("on", "off"):
            raise Http404
        if schedule.enabled != (to == "on"):
            schedule.enabled = to == "on"
            schedule.save()
        text = gettext("%(name)s is on.") if schedule.enabled else gettext("%(name)s is off.")
        messages.success(request, text % {"name": words.known(schedule.name)})
        return HttpResponseRedirect(reverse(_LIST))

    def start_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Its job now, once, beside the schedule."""
        schedule = _found(key)
        if (job := _start(request, schedule)) is not None:
            console.said_started(request, job, job_words.describe(job))
        return HttpResponseRedirect(reverse(_LIST))

    @admin.action(description=_("Turn on"), permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet) -> None:
        changed = _turn(queryset, True)
        text = ngettext("%(count)s turned on.", "%(count)s turned on.", changed)
        messages.success(request, text % {"count": changed})

    @admin.action(description=_("Turn off"), permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet) -> None:
        changed = _turn(queryset, False)
        text = ngettext("%(count)s turned off.", "%(count)s turned off.", changed)
        messages.success(request, text % {"count": changed})

    @admin.action(description=_("Start now, once"), permissions=["change"])
    def start_now(self, request: HttpRequest, queryset: QuerySet) -> None:
        started = sum(_start(request, schedule) is not None for schedule in queryset)
        if started:
            text = ngettext(
                "%(count)s on the way; see the jobs.", "%(count)s on the way; see the jobs.", started
            )
            messages.success(request, text % {"count": started})

    @display(description=_("Name"), ordering="name")
    def title(self, schedule: PeriodicTask) -> str:
        return words.known(schedule.name)

    @display(description=_("What it does"))
    def about(self, schedule: PeriodicTask) -> str:
        return words.known(schedule.description) or self.what_it_does(schedule)

    @display(description=_("What it does"))
    def what_it_does(self, schedule: PeriodicTask) -> str:
        arguments = offers.arguments_of(schedule)
        shown = ", ".join(f"{name}: {value}" for name, value in arguments.items())
        title = offers.shown_title_of(schedule)
        return f"{title} ({shown})" if shown else title

    @display(description=_("When"))
    def when(self, schedule: PeriodicTask) -> str:
        return words.in_words(schedule)

    @display(description=_("Next time"))
    def next_time(self, schedule: PeriodicTask) -> SafeString | str:
        moment = next_run(schedule)
        if moment is None:
            return gettext("never") if schedule.enabled else gettext("off")
        if moment - timezone.now() < timedelta(minutes=1):
            return gettext("within a minute")
        if schedule.interval:
            return gettext("within %(time)s") % {"time": timeuntil(moment, depth=1)}
        text = gettext("in %(time)s") % {"time": timeuntil(moment, depth=1)}
        return format_html('{} <span class="afn-subtle">{}</span>', console.local_time(moment), text)

    @display(description=_("Last time"), ordering="last_run_at")
    def last_run(self, schedule: PeriodicTask) -> SafeString | str:
        return console.local_time(schedule.last_run_at)

    @display(description=_("Last result"))
    def last_result(self, schedule: PeriodicTask) -> SafeString | str:
        job: Job | None = getattr(schedule, "last_job", None)
        if job is None:
            return "–"
        url = reverse("admin:ops_job_change", args=[job.pk])
        return format_html('<a href="{}">{}</a>', url, console.pill(*job_words.state_of(job)))

    @display(description=_("On"), ordering="enabled")
    def switch(self, schedule: PeriodicTask) -> SafeString:
        """Buttons of the form of `after.html`, for a form within the list's own is none."""
        word = gettext("on") if schedule.enabled else gettext("off")
        if not getattr(schedule, "may_change", False):
            return console.pill("success" if schedule.enabled else "default", word)
        name = words.known(schedule.name)
        to = "off" if schedule.enabled else "on"
        turn = reverse("admin:django_celery_beat_periodictask_turn", args=[schedule.pk, to])
        found = format_html(
            '<button type="submit" form="schedule-act" formaction="{}" class="afn-switch" role="switch" '
            'aria-checked="{}" aria-label="{}"><span></span></button>',
            turn,
            "true" if schedule.enabled else "false",
            name,
        )
        if not offers.choice_of(schedule).startswith("job "):
            return format_html('<span class="afn-row-actions">{}</span>', found)
        return format_html(
            '<span class="afn-row-actions">{}<button type="submit" form="schedule-act" formaction="{}" '
            'class="afn-plain" aria-label="{}">{}</button></span>',
            found,
            reverse("admin:django_celery_beat_periodictask_start", args=[schedule.pk]),
            gettext("Run %(name)s now") % {"name": name},
            gettext("Run now"),
        )

    @display(description=_("Times"), ordering="total_run_count")
    def times(self, schedule: PeriodicTask) -> str:
        return count(schedule.total_run_count)


def _found(key: int) -> PeriodicTask:
    schedule = PeriodicTask.objects.filter(pk=key).first()
    if schedule is None:
        raise Http404(gettext("There is no such schedule."))
    return schedule


def _turn(queryset: QuerySet, is_on: bool) -> int:
    changed = 0
    for schedule in queryset.exclude(enabled=is_on):  # one by one, for the audit log
        schedule.enabled = is_on
        schedule.save()
        changed += 1
    return changed


def _start(request: HttpRequest, schedule: PeriodicTask) -> Job | None:
    """Its job; says why there is none."""
    kind, _kind, name = offers.choice_of(schedule).partition(" ")
    if kind != "job":
        text = gettext("%(name)s starts no job: it comes by itself.")
        messages.warning(request, text % {"name": words.known(schedule.name)})
        return None
    try:
        return starting.start(name, offers.arguments_of(schedule), actor=console.actor(request))
    except RegistryProblem as problem:
        messages.error(request, f"{words.known(schedule.name)}: {problem}")
        return None


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin):
    form = CrontabForm
    empty_help = _("Fixed times, such as every night at two, are what schedules can follow.")
    list_display = ("in_words", "minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
    show_full_result_count = False

    @display(description=_("Times"))
    def in_words(self, crontab: CrontabSchedule) -> str:
        return words.crontab_in_words(crontab)


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    form = IntervalForm
    empty_help = _("Intervals, such as every ten minutes, are what schedules can follow.")
    list_display = ("in_words",)
    show_full_result_count = False

    @display(description=pgettext_lazy("schedule", "Interval"))
    def in_words(self, interval: IntervalSchedule) -> str:
        return words.interval_in_words(interval)
