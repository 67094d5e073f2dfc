"""Form fields and forms of the console."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EMPTY_VALUES
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ..errors import RegistryProblem
from ..models import VERSIONED, ApiKey, Evaluation, Prompt, PromptVersion, Scope
from ..saving import check_composition, check_rename


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
                "Expected tags separated by commas, or a JSON list.", code="json"
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
        widget=Editor({"class": "afn-editor", "rows": 18, "spellcheck": "false"}),
        help_text="New content makes a new version; the versions before stay as they are. A chat is a JSON "
        'list: {"role": "user", "content": "…"} or {"type": "placeholder", "name": "history"}.',
    )
    tags = TagsField(required=False, help_text="Separated by commas.")
    message = forms.CharField(
        required=False,
        max_length=1_000,
        widget=UnfoldAdminTextInputWidget({"placeholder": "What changed, and why"}),
        help_text="Kept with the new version. Without new content there is no version to keep it with.",
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Prompt
        widgets = {
            name: Editor({"class": "afn-editor", "rows": 5}) for name in ("metadata", "variables", "config")
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:
            self.initial["base_version"] = self.instance.version

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
            text = f"Expected {problem.expected}, got {problem.got}. {problem.hint}".strip()
            self.add_error(field, ValidationError(text, code="registry"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        base = cleaned.get("base_version")
        if base and base != self.instance.version and self.changes_payload:
            raise ValidationError(
                f"Expected version {base}, which this form was opened with, got {self.instance.version}: "
                "somebody saved in the meantime. Copy your text, open the prompt anew and compare.",
                code="stale",
            )
        return cleaned


class EvaluationForm(forms.ModelForm):
    class Meta:
        model = Evaluation
        fields = ("prompt", "version", "name", "item", "score", "metrics")
        widgets = {"metrics": Editor({"class": "afn-editor", "rows": 5})}
        help_texts = {"version": "Left empty: the prompt's current version."}

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
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Read: get and search prompts. Write: change them too.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "user", "scopes", "expires_at")
        help_texts = {
            "user": "The key acts for this user and stops working when the account is closed.",
            "expires_at": "Left empty: works until it is revoked.",
        }
