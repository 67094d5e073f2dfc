"""Split tests of a prompt's labels: begun, looked at and ended there."""

from collections.abc import Sequence
from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import splits
from ...errors import RegistryProblem
from ...labels import labels_of
from ...models import LATEST, LabelSplit, Prompt, User
from ...ownership import may_change
from .. import score_charts
from ..differences import number_of
from .base import render

MOVE = "prompts.change_promptlabel"
ARMS = 3  # beside the control; more are started by the API
ENDED = 20
_LABEL: Final = gettext_lazy(
    "Applications that ask for it get one of the versions; the control is what they get now."
)
_WEIGHT: Final = gettext_lazy("Its share: with 50 and 50 each is served half of the time.")
_VERSION: Final = gettext_lazy("The number of a version to try against the control.")
_MORE: Final = gettext_lazy("One more, if you like.")
_SHARE: Final = gettext_lazy("Its share.")


class StartForm(forms.Form):
    label = forms.ChoiceField(label=gettext_lazy("Label"), help_text=_LABEL)
    control = forms.IntegerField(
        label=gettext_lazy("Weight"), min_value=1, max_value=splits.MAX_WEIGHT, help_text=_WEIGHT
    )
    alpha = forms.FloatField(
        label=gettext_lazy("How often it may err"),
        min_value=0.0001,
        max_value=0.5,
        initial=0.05,
        help_text=gettext_lazy("0.05: one test in twenty may call a version better that is not."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=2_000,
        required=False,
        help_text=gettext_lazy("For whoever looks at the result, such as: a shorter greeting."),
    )

    def __init__(self, prompt: Prompt, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.labels = {name: number for name, number in labels_of(prompt).items() if name != LATEST}
        choices = [(name, f"{name} (v{number})") for name, number in self.labels.items()]
        self.fields["label"] = forms.ChoiceField(
            label=gettext_lazy("Label"), choices=choices, help_text=_LABEL
        )
        self.fields["control"].initial = 50
        for at in range(1, ARMS + 1):
            needed = at == 1  # and explained: the others are the same
            self.fields[f"version_{at}"] = forms.IntegerField(
                label=gettext_lazy("Version"),
                min_value=1,
                required=needed,
                help_text=_VERSION if needed else _MORE,
            )
            self.fields[f"weight_{at}"] = forms.IntegerField(
                label=gettext_lazy("Weight"),
                min_value=1,
                max_value=splits.MAX_WEIGHT,
                required=needed,
                help_text=_WEIGHT if needed else _SHARE,
            )
        self.fields["weight_1"].initial = 50
        self.fields["version_1"].initial = prompt.version
        for name, field in self.fields.items():
            wrong = {"aria-invalid": "true"} if self.is_bound and name in self.errors else {}
            field.widget.attrs |= {"aria-describedby": f"{name}-help {name}-problem", **wrong}
        self.fields["alpha"].widget.attrs["step"] = "any"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for at in range(2, ARMS + 1):
            if bool(cleaned.get(f"version_{at}")) != bool(cleaned.get(f"weight_{at}")):
                name = f"weight_{at}" if cleaned.get(f"version_{at}") else f"version_{at}"
                if name not in self.errors:
                    text = _("Expected a version and its weight, got one of them.")
                    self.add_error(name, ValidationError(text, code="pair"))
        return cleaned

    @property
    def filled(self) -> list[int]:
        return [at for at in range(1, ARMS + 1) if self.cleaned_data.get(f"version_{at}")]

    @property
    def arms(self) -> list[dict[str, int]]:
        values = self.cleaned_data
        others = [
            {"version": values[f"version_{at}"], "weight": values[f"weight_{at}"]} for at in self.filled
        ]
        return [{"version": self.labels[values["label"]], "weight": values["control"]}, *others]

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """Version and weight of each arm beside the control."""
        return [(self[f"version_{at}"], self[f"weight_{at}"]) for at in range(1, ARMS + 1)]


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    form = StartForm(prompt, request.POST if request.POST.get("act") == "start" else None)
    if request.method == "POST":
        if not _may_split(request, prompt):
            raise PermissionDenied
        if _act(request, prompt, form):
            return HttpResponseRedirect(reverse("admin:prompts_prompt_split", args=[prompt.pk]))
    found = LabelSplit.objects.filter(prompt=prompt.pk).select_related("user")
    running = list(found.filter(ended_at=None).order_by("label"))
    ended = list(found.exclude(ended_at=None).order_by("-ended_at")[:ENDED])
    reports = splits.reports([*running, *ended])
    chosen = _chosen(request, [*running, *ended])
    return render(
        model_admin,
        request,
        prompt,
        "split",
        {
            "form": form,
            "running": list(zip(running, reports, strict=False)),
            "ended": list(zip(ended, reports[len(running) :], strict=True)),
            "chosen": chosen,
            "chart": _chart(chosen) if chosen else None,
            "may_split": _may_split(request, prompt),
        },
    )


def _may_split(request: HttpRequest, prompt: Prompt) -> bool:
    """As the API has it: who may move labels, in prompts of his own."""
    return request.user.has_perm(MOVE) and may_change(cast(User, request.user), prompt)


def _chosen(request: HttpRequest, found: Sequence[LabelSplit]) -> LabelSplit | None:
    """Whose development is drawn: the one of the address, else the first."""
    asked = request.GET.get("split")
    return next((one for one in found if one.pk == asked), found[0] if found else None)


def _chart(split: LabelSplit) -> Any:
    versions = [arm["version"] for arm in split.arms]
    return score_charts.split_history(splits.history(split), versions, "split")


def _act(request: HttpRequest, prompt: Prompt, form: StartForm) -> bool:
    """Whether it was done, or said why not; a form that is wrong is shown again."""
    if request.POST.get("act") == "start":
        return form.is_valid() and _start(request, prompt, form)
    label, winner = request.POST.get("label", ""), number_of(request.POST.get("winner"), 0)
    actor, reason = cast(User, request.user), request.POST.get("reason", "")[:2_000]
    try:
        if winner:
            splits.conclude_split(prompt, label, winner, actor=actor, reason=reason)
        else:
            splits.end_split(prompt, label, actor=actor)
    except RegistryProblem as problem:
        messages.error(request, problem.sentence)
        return True
    if winner:
        values = {"label": label, "version": winner}
        messages.success(request, _("The split ended; %(label)s serves v%(version)s.") % values)
    else:
        messages.success(request, _("The split of %(label)s ended.") % {"label": label})
    return True


def _start(request: HttpRequest, prompt: Prompt, form: StartForm) -> bool:
    values = form.cleaned_data
    try:
        splits.start_split(
            prompt,
            values["label"],
            form.arms,
            actor=cast(User, request.user),
            alpha=values["alpha"],
            reason=values["reason"],
        )
    except RegistryProblem as problem:
        form.add_error(_field_of(problem, form.filled), ValidationError(problem.sentence, code="registry"))
        return False
    text = _("The split of %(label)s is running: it serves its versions by weight.")
    messages.success(request, text % {"label": values["label"]})
    return True


def _field_of(problem: RegistryProblem, filled: Sequence[int]) -> str | None:
    """``arms[2].weight`` is that of the second arm that is filled in beside the control."""
    if problem.field in ("label", "alpha", "reason"):
        return problem.field
    at, _dot, member = problem.field.removeprefix("arms[").partition("].")
    if member in ("version", "weight") and at.isdigit() and 1 <= int(at) <= len(filled):
        return f"{member}_{filled[int(at) - 1]}"
    return None
