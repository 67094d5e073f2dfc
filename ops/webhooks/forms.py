"""The console's form of a webhook."""

from copy import copy
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from prompts.errors import RegistryProblem
from vectors.errors import OutgoingRefused
from vectors.outgoing import MAX_URL

from . import saving
from .models import Webhook


class WebhookForm(forms.ModelForm):
    url = forms.CharField(
        label=_("URL"),
        max_length=MAX_URL,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("https:// and a public host."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(kind, kind) for kind in saving.KINDS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: all of them."),
    )

    class Meta:
        model = Webhook
        fields = ("name", "format", "kinds", "folder", "label", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and "url" in self.fields:
            self.fields["url"].required = False
            self.fields["url"].help_text = gettext("Now %(url)s Left empty, it stays as it is.") % {
                "url": self.instance.shown_url
            }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                saving.check_values(copy(self.instance), self.values())
            except (RegistryProblem, OutgoingRefused) as problem:
                text = f"Expected {problem.expected}, got {problem.got}. {problem.hint}".strip()
                self.add_error(problem.field if problem.field in self.fields else None, text)
            except forms.ValidationError as error:
                self.add_error(None, error)
        return cleaned

    def values(self) -> dict[str, Any]:
        """What is to be saved; an empty address is left as it is."""
        names = [name for name in saving.FIELDS if name in self.cleaned_data]
        return {name: self.cleaned_data[name] for name in names if name != "url" or self.cleaned_data["url"]}
