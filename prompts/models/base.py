"""What all tables share: ids of 32 hexadecimal digits and timestamps, given by Python or by the database.

Both have database defaults, so that rows inserted with plain SQL are complete.
"""

import uuid

from django.db import models
from django.db.models.functions import Now


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
        primary_key=True, max_length=32, default=new_id, db_default=RandomHex(), editable=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class ChangingRecord(Record):
    updated_at = models.DateTimeField(auto_now=True, db_default=Now(), editable=False)

    class Meta:
        abstract = True
