from django.conf import settings
from django.db import models

from ..validators import validate_dataset_name, validate_expected, validate_item_key, validate_metadata
from .base import ChangingRecord, Record


class Dataset(ChangingRecord):
    """Items that prompts are tried on: what goes in, and what is expected to come out."""

    name = models.CharField(max_length=128, unique=True, validators=[validate_dataset_name])
    description = models.TextField(blank=True, db_default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "datasets"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DatasetItem(Record):
    """One item. Its key names it in evaluations, so that versions are compared on the same items."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=255, validators=[validate_item_key])
    variables = models.JSONField(default=dict, db_default={}, blank=True, validators=[validate_metadata])
    placeholders = models.JSONField(default=dict, db_default={}, blank=True, validators=[validate_metadata])
    expected = models.JSONField(null=True, blank=True, validators=[validate_expected])
    metadata = models.JSONField(default=dict, db_default={}, blank=True, validators=[validate_metadata])

    class Meta:
        db_table = "dataset_items"
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "key"], name="dataset_items_key_is_unique"),
        ]

    def __str__(self) -> str:
        return self.key
