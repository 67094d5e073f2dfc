"""Every field that one fills in says what it is for, and every name can be translated."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import RequestFactory
from django.utils.functional import Promise

from ops.jobs import registry
from ops.jobs.forms import ArgumentsForm
from prompts.admin.exchange import ExportForm, ImportForm
from prompts.admin.pages.split import StartForm
from prompts.admin.run_forms import RunForm
from prompts.models import Prompt, User

OURS = ("prompts", "ops", "vectors")
# Names of products and protocols are the same everywhere.
PROPER = {"Slack", "Discord", "JSON", "API", "MCP", "DiskANN", "Jinja", "{{name}}"}


def of_admins(user: User) -> Iterator[tuple[str, Any]]:
    """The forms by which a superuser adds and changes things."""
    request = RequestFactory().get("/admin/")
    request.user = user
    for model, model_admin in admin.site._registry.items():
        for is_there in (False, True):
            may = model_admin.has_change_permission if is_there else model_admin.has_add_permission
            if may(request):
                thing = model() if is_there else None
                form = model_admin.get_form(request, thing, change=is_there)
                yield f"{model._meta.label} {'change' if is_there else 'add'}", form.base_fields


def others() -> Iterator[tuple[str, Any]]:
    yield "import", ImportForm().fields
    yield "export", ExportForm().fields
    yield "run", RunForm().fields
    yield "split", StartForm(Prompt(version=1)).fields
    for kind in registry.kinds():
        if kind.function.__module__.startswith("tests."):
            continue
        offer: Any = SimpleNamespace(kind=kind.name, deletes=False)
        yield f"job {kind.name}", ArgumentsForm(offer).fields


def wanting(fields: dict[str, forms.Field]) -> list[str]:
    return [name for name, one in fields.items() if not one.widget.is_hidden and not one.help_text]


def test_every_field_of_every_form_has_a_help_text(aoi: User) -> None:
    found = [*of_admins(aoi), *others()]

    assert len(found) > 40
    assert {name: missing for name, fields in found if (missing := wanting(fields))} == {}


def our_models() -> list[type[models.Model]]:
    return [model for name in OURS for model in apps.get_app_config(name).get_models()]


@pytest.mark.parametrize("name", OURS)
def test_names_of_apps_can_be_translated(name: str) -> None:
    assert isinstance(apps.get_app_config(name).verbose_name, Promise)


def test_names_of_models_fields_and_choices_can_be_translated() -> None:
    plain = []
    for model in our_models():
        names = {"verbose_name": model._meta.verbose_name, "plural": model._meta.verbose_name_plural}
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            if not field.auto_created:
                names[field.name] = field.verbose_name
                names[f"{field.name} help"] = field.help_text or None
            for value, label in getattr(field, "choices", None) or ():
                names[f"{field.name} {value}"] = None if label in PROPER else label
        plain += [
            f"{model.__name__} {name}: {text!r}"
            for name, text in names.items()
            if text is not None and not isinstance(text, Promise)
        ]

    assert plain == []
