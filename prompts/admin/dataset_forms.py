"""Forms that make a dataset and put items into it, from a box or a file."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vectors.admin.display import count

from ..exchange.problems import Refusal
from .described import DescribedForm

_FILES: Final = ".csv,.tsv,.jsonl,.ndjson"


class ItemsForm(DescribedForm):
    items = forms.CharField(
        label=gettext_lazy("Items"),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "class": "afn-editor"}),
        help_text=gettext_lazy(
            "CSV: the first line names the variables, and if you like the columns key and expected. Or JSON "
            'Lines such as {"key": "q1", "variables": {"text": "Hello"}, "expected": "Bonjour"}. At most '
            "1,000 items at a time."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        widget=forms.FileInput({"accept": _FILES}),
        help_text=gettext_lazy(
            "CSV or JSON Lines, in UTF-8. An item whose key is there already is replaced; of a key that "
            "comes twice the last item counts; items without a key are numbered."
        ),
    )

    @property
    def text(self) -> str:
        """Of what is valid: the items, empty where there are none."""
        return str(self.cleaned_data.get("file") or self.cleaned_data.get("items") or "")

    def clean_file(self) -> str:
        upload = self.cleaned_data["file"]
        if upload is None:
            return ""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # as of the box, and of the API
        if upload.size > most:
            text = _("Expected a file of at most %(most)s bytes, got %(size)s.")
            raise ValidationError(text % {"most": count(most), "size": count(upload.size)})
        try:
            return str(upload.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            text = _("Expected UTF-8 text, got byte 0x%(byte)02x at position %(at)s. Save the file as UTF-8.")
            raise ValidationError(text % {"byte": error.object[error.start], "at": error.start}) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("file") and (cleaned.get("items") or "").strip():
            self.add_error("file", _("Expected items in the box or in a file, got both."))
        return cleaned

    def refuse(self, refusal: Refusal) -> None:
        """A line of the items is wrong."""
        text = _("Line %(line)s, %(field)s: expected %(expected)s, got %(got)s.")
        given = {"field": refusal.field, "expected": refusal.expected, "got": refusal.got}
        field = "file" if self.cleaned_data.get("file") else "items"
        self.add_error(field, text % {"line": count(refusal.line), **given})


class DatasetForm(ItemsForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=128,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("Unique, such as support-questions."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("What its items are, and where they come from."),
    )
    field_order = ("name", "description", "items", "file")

    def __init__(self, *args: Any, may_fill: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not may_fill:
            del self.fields["items"], self.fields["file"]
