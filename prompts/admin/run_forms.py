"""The form that begins an evaluation run: a version, a dataset, and what judges the outputs."""

import json
import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evaluating.metrics import MAX_METRICS
from ..models import Dataset, Prompt, PromptVersion
from .described import DescribedForm

OFFERED: Final = 200  # prompts and datasets to choose from
_AT: Final = re.compile(r"metrics\[(\d+)\](?:\.(\w+))?")


class RunForm(DescribedForm):
    """Each metric that is filled in or ticked is one of the run's; ``more`` takes any, as the API does."""

    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        max_length=255,
        help_text=gettext_lazy("Its name, such as writing/resume."),
    )
    version = forms.IntegerField(
        label=gettext_lazy("Version"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("Empty: the newest."),
    )
    dataset = forms.CharField(
        label=gettext_lazy("Dataset"),
        max_length=128,
        help_text=gettext_lazy("The version is tried on each of its items."),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Which model answers. Empty: you paste the outputs, or send them by the API."),
    )
    temperature = forms.FloatField(
        label=gettext_lazy("Temperature"),
        min_value=0,
        max_value=2,
        required=False,
        help_text=gettext_lazy("From 0, nearly always the same, to 2. Empty: the model’s own."),
    )
    budget = forms.FloatField(
        label=gettext_lazy("Budget, US dollars"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=gettext_lazy("The run stops before it. Prices come from AFN_LLM_PRICES."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the run"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("To find it again, such as: shorter answers."),
    )

    exact_match = forms.BooleanField(
        label=gettext_lazy("Exactly what is expected"),
        required=False,
        initial=True,
        help_text=gettext_lazy("1 where the output is just that, else 0."),
    )
    contains = forms.BooleanField(
        label=gettext_lazy("Contains what is expected"),
        required=False,
        help_text=gettext_lazy("1 where that is somewhere in the output, else 0."),
    )
    ignore_case = forms.BooleanField(
        label=gettext_lazy("Upper and lower case are the same"),
        required=False,
        help_text=gettext_lazy("Of the two metrics before."),
    )
    judge = forms.CharField(
        label=gettext_lazy("A model judges by these criteria"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Such as: polite, and answers the question."),
    )
    judge_model = forms.CharField(
        label=gettext_lazy("Model that judges"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Empty: the one of AFN_LLM_MODEL."),
    )
    regex = forms.CharField(
        label=gettext_lazy("Matches the regular expression"),
        max_length=1_000,
        required=False,
        help_text=gettext_lazy("1 where it is found in the output, such as ^Dear."),
    )
    length_max = forms.IntegerField(
        label=gettext_lazy("At most so many characters"),
        min_value=0,
        required=False,
        help_text=gettext_lazy("1 where the output is not longer, else 0."),
    )
    latency_max = forms.FloatField(
        label=gettext_lazy("At most so many milliseconds"),
        min_value=0,
        required=False,
        help_text=gettext_lazy("1 where the model answered in that time, else 0."),
    )
    more = forms.CharField(
        label=gettext_lazy("Other metrics, as JSON"),
        required=False,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "class": "afn-editor"}),
        help_text=gettext_lazy('Such as [{"type": "json_schema", "schema": {"type": "object"}}].'),
    )

    MAIN: Final = ("prompt", "version", "dataset", "name", "model", "temperature", "budget")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["prompt"].widget.attrs |= {"list": "prompts", "autocomplete": "off"}
        self.fields["dataset"].widget.attrs |= {"list": "datasets", "autocomplete": "off"}

    @property
    def main_fields(self) -> list[Any]:
        return [self[name] for name in self.MAIN]

    @property
    def metric_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in self.MAIN]

    def clean_prompt(self) -> Prompt:
        ref = self.cleaned_data["prompt"]
        found = Prompt.objects.by_ref(ref)
        if found is None:
            raise ValidationError(_("Expected the name of a prompt, got %(got)s.") % {"got": repr(ref[:100])})
        return found

    def clean_dataset(self) -> Dataset:
        name = self.cleaned_data["dataset"]
        found = Dataset.objects.filter(name=name).first()
        if found is None:
            text = _("Expected the name of a dataset, got %(got)s.")
            raise ValidationError(text % {"got": repr(name[:100])})
        return found

    def clean_more(self) -> list[Any]:
        text = self.cleaned_data["more"].strip()
        if not text:
            return []
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("Expected a JSON list of metrics, got something else.")) from error
        if not isinstance(value, list) or len(value) > MAX_METRICS:
            text = _("Expected a JSON list of at most %(number)s metrics, got something else.")
            raise ValidationError(text % {"number": MAX_METRICS})
        return value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        prompt = cleaned.get("prompt")
        if prompt and "version" in cleaned:
            number = cleaned["version"] or prompt.version
            version = PromptVersion.objects.kept().filter(prompt=prompt.pk, version=number).first()
            if version is None:
                text = _("Expected a version of %(prompt)s, got %(number)s.")
                self.add_error("version", text % {"prompt": prompt.name, "number": number})
            cleaned["found_version"] = version
        if not self.errors and not self.metrics:
            self.add_error("exact_match", _("Expected one metric at least, got none."))
        return cleaned

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [metric for _name, metric in self._metrics()]

    @property
    def parameters(self) -> dict[str, Any]:
        temperature = self.cleaned_data.get("temperature")
        return {} if temperature is None else {"temperature": temperature}

    def field_of(self, name: str) -> str | None:
        """Which field an error of ``create_run`` is about: ``metrics[2].pattern``, ``budget``."""
        if found := _AT.match(name):
            fields = [field for field, _metric in self._metrics()]
            at = int(found[1])
            field = fields[at] if at < len(fields) else "more"
            return "judge_model" if field == "judge" and found[2] == "model" else field
        head = name.partition(".")[0].partition("[")[0]
        return head if head in self.fields else None

    def _metrics(self) -> list[tuple[str, Any]]:
        """Each with the field that it comes from."""
        values = self.cleaned_data
        case = {"ignore_case": True} if values.get("ignore_case") else {}
        found: list[tuple[str, Any]] = []
        for name in ("exact_match", "contains"):
            if values.get(name):
                found.append((name, {"type": name, **case}))
        if values.get("judge"):
            model = {"model": values["judge_model"]} if values.get("judge_model") else {}
            found.append(("judge", {"type": "judge", "criteria": values["judge"], **model}))
        if values.get("regex"):
            found.append(("regex", {"type": "regex", "pattern": values["regex"], **case}))
        if values.get("length_max") is not None:
            found.append(("length_max", {"type": "length", "max": values["length_max"]}))
        if values.get("latency_max") is not None:
            found.append(("latency_max", {"type": "latency", "max_ms": values["latency_max"]}))
        return [*found, *(("more", one) for one in values.get("more") or ())]
