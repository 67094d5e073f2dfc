"""What all tables share: ids of 32 hexadecimal digits and timestamps, given by Python or by the database.

Both have database defaults, so that rows inserted with plain SQL are complete.
"""

import uuid
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, models, router
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class RandomHex(models.Func):
    """128 random bits as 32 hexadecimal digits, made by the database."""

    template = "lower(hex(randomblob(16)))"
    arity = 0
    allowed_default = True
    output_field = models.CharField(max_length=32)


def new_id() -> str:
    return uuid.uuid4().hex


class Record(models.Model):
    id = models.CharField(
        _("id"), primary_key=True, max_length=32, default=new_id, db_default=RandomHex(), editable=False
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """As Django's, which looks at no empty value of a field that may be blank: of JSON, a list where an
        object belongs.
        """
        problems: dict[str, Any] = {}
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as error:
            problems = error.error_dict
        for field in self._meta.local_fields:
            if isinstance(field, models.JSONField) and field.blank and not field.null:
                value = getattr(self, field.attname)
                if value in field.empty_values and field.name not in {*problems, *(exclude or ())}:
                    problems |= _wrong(field, value)
        if problems:
            raise ValidationError(problems)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django's, for which a name is taken where the connection broke as that was looked up."""
        try:
            super().validate_constraints(exclude=exclude)
        except ValidationError:
            connections[router.db_for_write(type(self), instance=self)].validate_no_broken_transaction()
            raise


def _wrong(field: Any, value: Any) -> dict[str, Any]:
    try:
        for validate in field.validators:
            validate(value)
    except ValidationError as error:
        return {field.name: error.error_list}
    return {}


class ChangingRecord(Record):
    updated_at = models.DateTimeField(_("updated at"), auto_now=True, db_default=Now(), editable=False)

    class Meta:
        abstract = True
