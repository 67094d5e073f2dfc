"""The console's forms of rules, channels and silences: what cannot be is said beside its field."""

from copy import copy
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from prompts.errors import RegistryProblem
from vectors.errors import OutgoingRefused
from vectors.outgoing import MAX_URL

from . import emailing, metrics, saving
from .models import AlertChannel, AlertRule, AlertSilence

_MAX_SECRET = 200


def _add_problem(form: forms.ModelForm, problem: RegistryProblem | OutgoingRefused) -> None:
    text = f"Expected {problem.expected}, got {problem.got}. {problem.hint}".strip()
    form.add_error(problem.field if problem.field in form.fields else None, text)


class _CheckedForm(forms.ModelForm):
    """What the API would refuse, the form refuses in the same words. Nothing is saved here."""

    def check(self, changed: Any) -> None:
        """Raises ``RegistryProblem``."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            changed = copy(self.instance)
            for name, value in cleaned.items():
                setattr(changed, name, value)
            try:
                self.check(changed)
            except RegistryProblem as problem:
                _add_problem(self, problem)
        return cleaned


class RuleForm(_CheckedForm):
    metric = forms.ChoiceField(
        label=_("Figure"),
        choices=metrics.choices,
        widget=UnfoldAdminSelectWidget,
        help_text=_("What is looked at every 30 seconds. It cannot be changed later."),
    )

    class Meta:
        model = AlertRule
        fields = (
            "name", "metric", "comparison", "threshold", "clear", "for_seconds", "severity", "enabled",
            "description",
        )  # fmt: skip
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def check(self, changed: AlertRule) -> None:
        saving.check_rule(changed)


class ChannelForm(forms.ModelForm):
    url = forms.CharField(
        label=_("URL"),
        max_length=MAX_URL,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Of Slack, Discord and JSON: https:// and a public host."),
    )
    secret = forms.CharField(
        label=_("Secret"),
        max_length=_MAX_SECRET,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Of JSON: signs what is sent, as with webhooks. None: it is not signed."),
    )
    addresses = forms.CharField(
        label=_("Addresses"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Of e-mail: one on each line."),
    )

    class Meta:
        model = AlertChannel
        fields = ("name", "kind", "min_severity", "enabled", "sends_cleared", "remind_hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not emailing.is_configured() and "addresses" in self.fields:
            field = self.fields["addresses"]
            field.help_text = f"{field.help_text} {emailing.NOT_SET}."
        if self.instance._state.adding or "url" not in self.fields:
            return
        self.initial["addresses"] = "\n".join(self.instance.addresses)
        if self.instance.shown_url:
            self.fields["url"].help_text = gettext("Now %(url)s Left empty, it stays as it is.") % {
                "url": self.instance.shown_url
            }
        if self.instance.sealed_secret:
            self.fields["secret"].help_text = gettext("There is one. Left empty, it stays as it is.")

    def clean_addresses(self) -> list[str]:
        return self.cleaned_data["addresses"].replace(",", " ").split()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                saving.apply(copy(self.instance), self.values())
            except (RegistryProblem, OutgoingRefused) as problem:
                _add_problem(self, problem)
        return cleaned

    def values(self) -> dict[str, Any]:
        """What is to be saved; an empty address or secret is left as it is."""
        names = [name for name in saving.CHANNEL_FIELDS if name in self.cleaned_data]
        kept = ("url", "secret")
        return {
            name: self.cleaned_data[name] for name in names if name not in kept or self.cleaned_data[name]
        }


class SilenceForm(_CheckedForm):
    class Meta:
        model = AlertSilence
        fields = ("rule", "starts_at", "until", "reason")

    def check(self, changed: AlertSilence) -> None:
        saving.check_silence(changed)
