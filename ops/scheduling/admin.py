"""Schedules in the console, in place of the pages that django-celery-beat brings."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.decorators import display

from ops.jobs import starting
from prompts.errors import RegistryProblem
from prompts.models import User
from vectors.admin.display import short_time

from . import offers
from .forms import CrontabForm, IntervalForm, ScheduleForm

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)
# What the pages call them.
_NAMES = {
    PeriodicTask: ("schedule", "schedules"),
    CrontabSchedule: ("fixed times", "fixed times"),
    IntervalSchedule: ("interval", "intervals"),
}
for _model, (_name, _names) in _NAMES.items():
    _model._meta.verbose_name, _model._meta.verbose_name_plural = _name, _names
apps.get_app_config("django_celery_beat").verbose_name = "Operations"


@admin.register(PeriodicTask)
class ScheduleAdmin(ModelAdmin):
    form = ScheduleForm
    list_display = ("name", "what_it_does", "when", "is_on", "last_run", "times", "description")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name",)
    show_full_result_count = False
    actions = ("turn_on", "turn_off", "start_now")
    fields = (
        "name", "what", "arguments", "crontab", "interval", "enabled", "description", "last_run",
        "times",
    )  # fmt: skip
    readonly_fields = ("last_run", "times")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (
                "name", "what_it_does", "when", "enabled", "description", "last_run", "times"
            )  # fmt: skip
        return self.fields if obj is not None else self.fields[:-2]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = (*self.readonly_fields, "what_it_does", "when")
        return fields if obj is not None and not self.has_change_permission(request, obj) else fields[:2]

    @admin.action(description="Turn on", permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._turn(request, queryset, True)

    @admin.action(description="Turn off", permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._turn(request, queryset, False)

    @admin.action(description="Start now, once", permissions=["change"])
    def start_now(self, request: HttpRequest, queryset: QuerySet) -> None:
        started = 0
        for schedule in queryset:
            kind, _, name = offers.choice_of(schedule).partition(" ")
            if kind != "job":
                messages.warning(request, f"{schedule.name} starts no job: it comes by itself.")
                continue
            user = request.user if isinstance(request.user, User) else None
            try:
                starting.start(name, offers.arguments_of(schedule), actor=user)
                started += 1
            except RegistryProblem as problem:
                messages.error(request, f"{schedule.name}: {problem}")
        if started:
            messages.success(request, f"{started} on the way; see the jobs.")

    def _turn(self, request: HttpRequest, queryset: QuerySet, is_on: bool) -> None:
        changed = 0
        for schedule in queryset.exclude(enabled=is_on):  # one by one, for the audit log
            schedule.enabled = is_on
            schedule.save()
            changed += 1
        messages.success(request, f"{changed} turned {'on' if is_on else 'off'}.")

    @display(description="What it does")
    def what_it_does(self, schedule: PeriodicTask) -> str:
        arguments = offers.arguments_of(schedule)
        shown = ", ".join(f"{name}: {value}" for name, value in arguments.items())
        return f"{offers.title_of(schedule)} ({shown})" if shown else offers.title_of(schedule)

    @display(description="When")
    def when(self, schedule: PeriodicTask) -> str:
        if schedule.crontab:
            return str(schedule.crontab.human_readable)
        return str(schedule.scheduler or "–")

    @display(description="On", boolean=True, ordering="enabled")
    def is_on(self, schedule: PeriodicTask) -> bool:
        return bool(schedule.enabled)

    @display(description="Times", ordering="total_run_count")
    def times(self, schedule: PeriodicTask) -> str:
        return f"{schedule.total_run_count:,}"

    @display(description="Last time", ordering="last_run_at")
    def last_run(self, schedule: PeriodicTask) -> str:
        return short_time(schedule.last_run_at)


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin):
    form = CrontabForm
    list_display = ("in_words", "minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
    show_full_result_count = False

    @display(description="Times")
    def in_words(self, crontab: CrontabSchedule) -> str:
        return str(crontab.human_readable)


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    form = IntervalForm
    list_display = ("__str__",)
    show_full_result_count = False
