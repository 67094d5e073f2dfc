"""What pages call a model and its fields, in the reader's language; in the model it would be a migration."""

from __future__ import annotations

from typing import Any

from django.db import models


def call(model: type[models.Model], one: Any, several: Any, **fields: Any) -> None:
    """Lazy texts; `fields` by the names of fields."""
    options: Any = model._meta
    options.verbose_name, options.verbose_name_plural = one, several
    for name, text in fields.items():
        field: Any = model._meta.get_field(name)
        field.verbose_name = text
