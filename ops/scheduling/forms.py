"""The form of a schedule: what it does, with which arguments, and when."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from ops.jobs import registry
from prompts.errors import RegistryProblem

from . import offers, words

_PERIODS = [
    (value, label)
    for value, label in IntervalSchedule.PERIOD_CHOICES
    if value != IntervalSchedule.MICROSECONDS
]


class ScheduleForm(forms.ModelForm):
    what = forms.ChoiceField(
        label=_("What it does"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("A job shows up in the list of jobs."),
    )
    arguments = forms.JSONField(
        label=_("Arguments"),
        required=False,
        initial=dict,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "class": "afn-editor"}),
        help_text=_('Of a job, as JSON, such as {"days": 30}. {} where it takes none.'),
    )

    class Meta:
        model = PeriodicTask
        fields = ("name", "enabled", "crontab", "interval", "description")
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}
        labels = {
            "name": _("Name"), "enabled": _("On"), "crontab": _("At fixed times"),
            "interval": _("At intervals"), "description": _("Description"),
        }  # fmt: skip
        help_texts = {
            "name": _("Yours. Jobs say which schedule started them."),
            "enabled": _("Without it nothing happens, and moments that pass meanwhile are not made up for."),
            "crontab": _("Days and hours in a time zone. Either this or an interval."),
            "interval": _("Again and again after so long. Either this or fixed times."),
            "description": _("For whoever reads the list."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "crontab" not in self.fields:  # who may only look
            return
        self.fields["crontab"].label_from_instance = words.crontab_in_words  # type: ignore[attr-defined]
        self.fields["interval"].label_from_instance = words.interval_in_words  # type: ignore[attr-defined]
        self.fields["what"].choices = offers.choices()  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["what"].initial = offers.choice_of(self.instance)
            self.fields["arguments"].initial = offers.arguments_of(self.instance)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("crontab")) == bool(data.get("interval")):
            both = gettext("Expected either fixed times or an interval, got both.")
            neither = gettext("Expected either fixed times or an interval, got neither.")
            self.add_error("crontab", both if data.get("crontab") else neither)
        self._check_arguments(data)
        return data

    def _check_arguments(self, data: dict[str, Any]) -> None:
        kind, __, name = str(data.get("what") or "").partition(" ")
        given = data.get("arguments")
        if not kind or "arguments" in self.errors:
            return
        if given is None or given == "":
            given = data["arguments"] = {}
        if not isinstance(given, dict):
            text = gettext("Expected an object such as %(example)s, got %(got)s.")
            self.add_error("arguments", text % {"example": '{"days": 30}', "got": repr(given)[:80]})
        elif kind == "job":
            try:
                data["arguments"] = registry.get(name).check(given)
            except RegistryProblem as problem:
                self.add_error("arguments", str(problem))
        elif given:
            self.add_error("arguments", gettext("Expected none for this, got some."))

    def validate_unique(self) -> None:
        if not self.errors:  # the model says once more what was said above
            super().validate_unique()

    def save(self, commit: bool = True) -> Any:
        offers.set_choice(self.instance, self.cleaned_data["what"], self.cleaned_data["arguments"])
        interval = self.cleaned_data.get("interval")
        if self.instance.task in offers.TASKS and interval is not None:
            # Who comes to it later need not do it any more, for it comes again.
            self.instance.expire_seconds = max(1, int(interval.schedule.run_every.total_seconds()))
        return super().save(commit)


class IntervalForm(forms.ModelForm):
    class Meta:
        model = IntervalSchedule
        fields = ("every", "period")
        labels = {"every": _("Every"), "period": _("Unit")}
        help_texts = {
            "every": _("How many of them to wait."),
            "period": _("Such as minutes: every 10 minutes."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "period" in self.fields:
            self.fields["period"].choices = _PERIODS  # type: ignore[attr-defined]


class CrontabForm(forms.ModelForm):
    class Meta:
        model = CrontabSchedule
        fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
        labels = {
            "minute": _("Minutes"), "hour": _("Hours"), "day_of_week": _("Days of the week"),
            "day_of_month": _("Days of the month"), "month_of_year": _("Months"), "timezone": _("Time zone"),
        }  # fmt: skip
        help_texts = {
            "minute": _("0 to 59, such as 0 or 0,30 or */15. * is every minute."),
            "hour": _("0 to 23, such as 2 or 8-18. * is every hour."),
            "day_of_week": _("0 (Sunday) to 6, such as 1-5. * is every day."),
            "day_of_month": _("1 to 31. * is every day."),
            "month_of_year": _("1 to 12. * is every month."),
            "timezone": _("Where the clock hangs that counts."),
        }
