"""What fills datasets in the console: a new one with its items, and more items for one."""

from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vectors.admin.display import count

from ..evaluating.item_files import WrongItems, put_text
from ..models import Dataset, User
from .dataset_forms import DatasetForm, ItemsForm

FILL: Final = "prompts.change_dataset"  # as PUT /api/v1/datasets/NAME/items asks for


def add(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The form; of a POST the dataset that it made."""
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = DatasetForm(*given, may_fill=request.user.has_perm(FILL))
    if form.is_bound and form.is_valid() and (dataset := _make(request, form)):
        _tell(request, dataset, _("The dataset is made."))
        return HttpResponseRedirect(_address(dataset))
    return TemplateResponse(
        request,
        "admin/prompts/dataset/add.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": _("New dataset"),
            "opts": model_admin.opts,
            "form": form,
        },
    )


def put(request: HttpRequest, dataset: Dataset) -> ItemsForm | HttpResponse:
    """Items added and replaced; or the form that says why nothing was."""
    form = ItemsForm(request.POST, request.FILES)
    if not form.is_valid():
        return form
    try:
        counts = put_text(dataset, form.text)
    except WrongItems as wrong:
        form.refuse(wrong.refusal)
        return form
    text = _("Added: %(inserted)s; replaced: %(updated)s.")
    _tell(request, dataset, text % {name: count(number) for name, number in counts.items()})
    return HttpResponseRedirect(_address(dataset))


def _make(request: HttpRequest, form: DatasetForm) -> Dataset | None:
    """None where it is refused: then nothing is written, and the form says why."""
    values = form.cleaned_data
    dataset = Dataset(name=values["name"], description=values["description"], user=cast(User, request.user))
    try:
        with transaction.atomic():
            dataset.full_clean()
            dataset.save()
            if form.text.strip():
                put_text(dataset, form.text)
    except WrongItems as wrong:
        form.refuse(wrong.refusal)
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            form.add_error(name if name in form.fields else None, " ".join(texts))
    except IntegrityError:  # somebody else was as quick
        form.add_error("name", _("Expected a name that is free, got one that was just taken."))
    else:
        return dataset
    return None


def _tell(request: HttpRequest, dataset: Dataset, what: str) -> None:
    total = dataset.items.count()
    text: Any = ngettext("It has %(number)s item.", "It has %(number)s items.", total)
    told = f"{what} {text % {'number': count(total)}}"
    if total and request.user.has_perm("prompts.add_evaluationrun"):
        address = reverse("admin:prompts_evaluationrun_add") + "?" + urlencode({"dataset": dataset.name})
        told = format_html(
            '{} <a class="text-link" href="{}">{}</a>', told, address, _("Begin a run with it")
        )
    messages.success(request, told)


def _address(dataset: Dataset) -> str:
    return reverse("admin:prompts_dataset_change", args=[dataset.pk])
