"""Forms of our own templates, read out as they are shown."""

from typing import Any

from django import forms


class DescribedForm(forms.Form):
    """A field is read out with its help, ``NAME-help``, and with what is wrong with it, ``NAME-problem``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"{name}-help"

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if field in self.fields:
            self.fields[field].widget.attrs |= {
                "aria-invalid": "true",
                "aria-describedby": f"{field}-problem {field}-help",
            }
