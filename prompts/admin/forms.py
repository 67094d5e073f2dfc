"""Form fields and forms of the console."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EMPTY_VALUES
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ..errors import RegistryProblem
from ..models import VERSIONED, ApiKey, Evaluation, Prompt, PromptVersion, Scope
from ..saving import check_composition, check_rename
from .display import diff_url


class Editor(UnfoldAdminTextareaWidget):
    # Unlike unfold's, this template begins with a line end: browsers drop the first one of a text.
    template_name = "django/forms/widgets/textarea.html"


class ContentField(forms.CharField):
    """Text kept as it was typed. Browsers send every line end as CRLF; that alone is no change."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed((initial or "").replace("\r\n", "\n"), data)


class TagsField(forms.CharField):
    """A list of tags as text with commas; as JSON where a tag could not be told apart that way."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        text = ", ".join(map(str, value))
        is_plain = split_tags(text) == value and not text.startswith("[")
        return text if is_plain else json.dumps(value, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        if not text.startswith("["):
            return split_tags(text)
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValidationError(
                _("Expected tags separated by commas, or a JSON list."), code="json"
            ) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (initial or [])
        except ValidationError:
            return True


def object_or_empty(value: Any) -> Any:
    """An empty box means no values; Django's forms would store null, or an empty list as it is."""
    return {} if value in EMPTY_VALUES else value


def split_tags(text: str) -> list[str]:
    return list(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))


class PromptForm(forms.ModelForm):
    content = ContentField(
        label=_("Content"),
        widget=Editor({"class": "afn-editor afn-content-box", "rows": 18, "spellcheck": "false"}),
        help_text=_("New content makes a new version; the versions before stay as they are."),
    )
    tags = TagsField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    message = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=1_000,
        widget=UnfoldAdminTextInputWidget(
            {"placeholder": _("What changed, and why"), "form": "prompt_form", "autocomplete": "off"}
        ),
        help_text=_("Kept with the new version, for whoever wonders later."),
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    conflict: dict[str, Any] | None = None  # what somebody else saved meanwhile

    class Meta:
        model = Prompt
        widgets = {
            name: Editor({"class": "afn-editor", "rows": 5, "spellcheck": "false"})
            for name in ("metadata", "variables", "config")
        }
        fields = (
            "name",
            "title",
            "type",
            "content",
            "template_format",
            "variables",
            "config",
            "status",
            "language",
            "tags",
            "user",
            "metadata",
        )
        labels = {
            "name": _("Name"),
            "title": _("Title"),
            "type": _("Type"),
            "template_format": _("Template format"),
            "variables": _("Declared variables"),
            "config": _("Config"),
            "status": _("Status"),
            "language": _("Language"),
            "user": _("Owner"),
            "metadata": _("Metadata"),
        }
        help_texts = {
            "name": _("Unique; slashes make folders: writing/resume-rewriter."),
            "title": _("For people: what lists and search results show."),
            "type": _("Chosen once, for all versions."),
            "template_format": _("Jinja has conditions and loops, in a sandbox."),
            "variables": _(
                'JSON, where more is to be known of a variable: {"tone": {"type": "enum", "values": ["kind", '
                '"firm"]}}. Types: string, number, enum, list, json.'
            ),
            "config": _("JSON that the application wants to keep with it, such as model and temperature."),
            "language": _("Language code of the content, such as en or ja."),
            "user": _("Only the owner, and who may change the prompts of others, can edit it."),
            "metadata": _("JSON that searches can filter by. It makes no new version."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:
            self.initial["base_version"] = self.instance.version
        for name in ("metadata", "variables", "config"):
            if name in self.fields:
                self.fields[name].error_messages["invalid"] = _("Expected JSON.")

    def clean_content(self) -> str:
        return self.cleaned_data["content"] if "content" in self.changed_data else self.instance.content

    def clean_metadata(self) -> Any:
        return object_or_empty(self.cleaned_data["metadata"])

    def clean_variables(self) -> Any:
        return object_or_empty(self.cleaned_data["variables"])

    def clean_config(self) -> Any:
        return object_or_empty(self.cleaned_data["config"])

    @property
    def changes_payload(self) -> bool:
        return not {*VERSIONED}.isdisjoint(self.changed_data)

    def _post_clean(self) -> None:
        """With what the prompt includes, and what includes it, once it is in order by itself."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            check_composition(self.instance)
            check_rename(self.instance)
        except ValidationError as error:
            self.add_error(None, error)
        except RegistryProblem as problem:
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, ValidationError(problem.sentence, code="registry"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        base = self._base(cleaned)
        if base and base != self.instance.version and self.changes_payload:
            self.conflict = self._conflict(base)
            raise ValidationError(
                _("Expected version %(base)s to be the newest, got %(newest)s: somebody saved meanwhile."),
                code="stale",
                params={"base": base, "newest": self.instance.version},
            )
        cleaned["base_version"] = base
        return cleaned

    def _base(self, cleaned: dict[str, Any]) -> int | None:
        """The version that the text was written on; who was told of a conflict may say that it is a newer."""
        onto = self.data.get("_onto", "")
        if onto.isascii() and onto.isdigit() and len(onto) < 10 and int(onto):
            return int(onto)
        return cleaned.get("base_version")

    def _conflict(self, base: int) -> dict[str, Any]:
        prompt = self.instance
        rows = prompt.versions.kept().filter(version=prompt.version).select_related("author")
        newest = rows.only("version", "message", "created_at", "prompt", "author__username").first()
        return {
            "base": base,
            "version": prompt.version,
            "author": newest.author if newest else None,
            "message": newest.message if newest else "",
            "created_at": newest.created_at if newest else None,
            "url": diff_url(prompt.pk, base, prompt.version),
        }


class EvaluationForm(forms.ModelForm):
    class Meta:
        model = Evaluation
        fields = ("prompt", "version", "name", "item", "score", "metrics")
        widgets = {"metrics": Editor({"class": "afn-editor", "rows": 5})}
        help_texts = {"version": _("Left empty: the prompt’s current version.")}

    def clean_metrics(self) -> Any:
        return object_or_empty(self.cleaned_data["metrics"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        prompt, version = cleaned.get("prompt"), cleaned.get("version")
        if prompt and version and version.prompt_id != prompt.pk:
            self.add_error(
                "version",
                ValidationError(f"Expected a version of {prompt.name}, got {version}.", code="version"),
            )
        elif prompt and not version:
            cleaned["version"] = PromptVersion.objects.filter(prompt=prompt, version=prompt.version).first()
        return cleaned


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Read: get and search prompts. Write: change them too."),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "user", "scopes", "expires_at")
        help_texts = {
            "user": _("The key acts for this user and stops working when the account is closed."),
            "expires_at": _("Left empty: works until it is revoked."),
        }
