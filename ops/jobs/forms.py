"""The form of a job's arguments, made of the types that its function has."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from django import forms
from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from ops.backups import folder
from ops.environments.base import EnvironmentProblem
from ops.environments.current import get_provider
from prompts.errors import RegistryProblem
from vectors.models import Collection
from vectors.projection import methods
from vectors.strategies import STRATEGIES

from . import registry
from .offers import Offer
from .words import name_of

_MOST: Final = 500
_FIELDS: Final = {bool: forms.BooleanField, int: forms.IntegerField, float: forms.FloatField}
_HELP: Final = {
    "strategy": gettext_lazy("Left out: the one that the collection has."),
    "lists": gettext_lazy("Of an IVF index; left out: by the number of rows."),
    "only_if_due": gettext_lazy("Does nothing where the index is up to date."),
    "embedder": gettext_lazy("Begins a migration. Left out: one that was begun goes on."),
    "rate": gettext_lazy("So that a limit of the provider is kept. Left out: as fast as it goes."),
    "rebuild": gettext_lazy("Forgets the index and makes it anew, by the embedder set now."),
    "days": gettext_lazy("What has been there for longer goes."),
    "keep_days": gettext_lazy("Lines that are older go; that it was done is a line."),
    "backup": gettext_lazy("Left out: the newest."),
    "collection": gettext_lazy("Whose items it is about. The prompts are in the collection prompts."),
    "model": gettext_lazy("Of the new embedder, such as text-embedding-3-small. Left out: its default."),
    "dimensions": gettext_lazy("Of the new embeddings, where the model can make several. Left out: its own."),
    "batch": gettext_lazy("So many go to the embedder in one request. More is faster, up to its limit."),
    "recall": gettext_lazy("The part of the true results that has to be found, such as 0.98."),
    "k": gettext_lazy("So many results a query, such as 10: measure what you search for."),
    "judged": gettext_lazy("Measures by the queries that people judged, not by items of the collection."),
    "threshold": gettext_lazy("How similar two items are at least, up to 1. Left out: by the model."),
    "exact": gettext_lazy("Compares each item with each other: misses none, and takes longer."),
    "method": gettext_lazy("pca is quick; umap keeps neighbourhoods better and takes longer."),
}


class ArgumentsForm(forms.Form):
    """Of one kind. ``checked`` are the arguments, once it is valid; what is empty is left to the kind."""

    def __init__(self, offer: Offer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind, self.checked = registry.get(offer.kind), dict[str, Any]()
        for name, field in self.kind.arguments.model_fields.items():
            self.fields[name] = _field(name, field, self.kind.name)
        self.environment = _environment() if offer.deletes else ""
        if self.environment:
            label = _("This cannot be undone. Type %(name)s") % {"name": self.environment}
            self.fields["typed_name"] = forms.CharField(
                label=label, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
            )

    def clean_typed_name(self) -> str:
        typed = str(self.cleaned_data["typed_name"]).strip()
        if typed != self.environment:
            raise forms.ValidationError(
                _("Expected %(name)s, got something else. Nothing was started.") % {"name": self.environment}
            )
        return typed

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        given = {
            name: value
            for name, value in data.items()
            if name in self.kind.arguments.model_fields and value is not None and value != ""
        }
        try:
            self.checked = self.kind.check(given)
        except RegistryProblem as problem:
            self.add_error(problem.field if problem.field in self.fields else None, str(problem))
        return data


def _field(name: str, field: Any, kind: str) -> forms.Field:
    options: dict[str, Any] = {
        "label": name_of(name), "required": field.is_required(), "help_text": _HELP.get(name, ""),
    }  # fmt: skip
    if (choices := _choices(name, kind)) is not None:
        if not field.is_required():
            choices = [("", "–"), *choices]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **options)
    of_type = _type(field.annotation)
    default = None if field.is_required() else field.default
    if of_type is bool:
        return forms.BooleanField(
            widget=UnfoldBooleanWidget, initial=bool(default), **options | {"required": False}
        )
    made = _FIELDS.get(of_type, forms.CharField)
    if isinstance(default, float) and default.is_integer():
        default = int(default)  # not 30.0
    number = "number" if of_type in (int, float) else "text"
    attributes = {"type": number, "step": "any"} if of_type is float else {"type": number}
    return made(initial=default, widget=UnfoldAdminTextInputWidget(attrs=attributes), **options)


def _choices(name: str, kind: str) -> list[tuple[str, str]] | None:
    """Where what is allowed is known."""
    if name == "collection":
        rows = Collection.objects.using(DEFAULT_DB_ALIAS).order_by("name")
        names = list(rows.values_list("name", flat=True)[: _MOST + 1])
        return [(one, one) for one in names] if len(names) <= _MOST else None
    if name == "strategy":
        return [(one, one) for one in STRATEGIES]
    if name == "backup":
        try:
            return [(str(one.name), str(one.name)) for one in folder.stored()[:_MOST]]
        except EnvironmentProblem:
            return None
    if name == "method" and kind == "map_items":
        return [(one, one) for one in methods()]
    return None


def _type(annotation: Any) -> Any:
    """`int` of `int | None`."""
    if get_origin(annotation) in (Union, UnionType):
        return next((one for one in get_args(annotation) if one is not NoneType), str)
    return annotation


def _environment() -> str:
    try:
        return get_provider().current
    except EnvironmentProblem:
        return "afn"
