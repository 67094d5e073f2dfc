"""What Django makes out of names of fields where nobody said otherwise is English: no form may show that."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.test import RequestFactory
from django.utils.translation import override

from prompts.models import User

pytestmark = pytest.mark.django_db

# Written the same in Japanese.
NAMES = {"URL", "SHA-256", "SHA", "JSON", "ID", "MRR", "nDCG", "p", "API", "Webhook", "IP", "IVF", "AFN"}
# Of apps that AFN shows nothing of.
OTHERS = {"auth", "contenttypes", "sessions", "admin"}


def english(text: Any) -> bool:
    words = re.findall(r"[A-Za-z][A-Za-z-]+", str(text))
    return any(word not in NAMES for word in words) and not re.search(r"[぀-ヿ一-鿿]", str(text))


def labels(request: Any) -> Iterator[tuple[str, str]]:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label in OTHERS:
            continue
        name = model._meta.label
        yield f"{name}", str(model._meta.verbose_name)
        for shown in model_admin.get_list_display(request):
            if shown != "action_checkbox":
                yield f"{name}, column {shown}", str(label_for_field(shown, model, model_admin))
        for field_name, field in model_admin.get_form(request).base_fields.items():
            if field.widget.is_hidden:
                continue
            label = field.label or field_name.replace("_", " ")
            yield f"{name}, field {field_name}", str(label)
            if field.help_text:
                yield f"{name}, help of {field_name}", str(field.help_text)
        for action, _name, description in model_admin._get_base_actions():
            yield f"{name}, action {action.__name__}", str(description)


def test_every_field_column_and_action_is_named_in_japanese() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    with override("ja"):
        found = list(labels(request))
    assert len(found) > 200
    assert [(place, text) for place, text in found if english(text)] == []


def test_the_look_at_them_sees_english() -> None:
    assert [english(one) for one in ("Kinds", "URL", "種類", "nDCG", "ログのURL")] == [True, False, False] + [
        False
    ] * 2
