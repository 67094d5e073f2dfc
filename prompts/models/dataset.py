from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..validators import validate_dataset_name, validate_expected, validate_item_key, validate_metadata
from .base import ChangingRecord, Record


class Dataset(ChangingRecord):
    """Items that prompts are tried on: what goes in, and what is expected to come out."""

    name = models.CharField(
        _("name"),
        max_length=128,
        unique=True,
        validators=[validate_dataset_name],
        help_text=_("Unique, such as support-questions."),
    )
    description = models.TextField(
        _("description"),
        blank=True,
        db_default="",
        help_text=_("What its items are, and where they come from."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who made it."),
    )

    class Meta:
        db_table = "datasets"
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DatasetItem(Record):
    """One item. Its key names it in evaluations, so that versions are compared on the same items."""

    dataset = models.ForeignKey(
        Dataset, verbose_name=_("dataset"), on_delete=models.CASCADE, related_name="items"
    )
    key = models.CharField(
        _("key"),
        max_length=255,
        validators=[validate_item_key],
        help_text=_("Names the item in evaluations; unique within its dataset."),
    )
    variables = models.JSONField(
        _("variables"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_("What is filled in for the prompt's variables, as a JSON object."),
    )
    placeholders = models.JSONField(
        _("placeholders"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_("Messages for the placeholders of a chat, as a JSON object."),
    )
    expected = models.JSONField(
        _("expected"),
        null=True,
        blank=True,
        validators=[validate_expected],
        help_text=_("What is expected to come out, as JSON. Empty: nothing certain."),
    )
    metadata = models.JSONField(
        _("metadata"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_("A JSON object of your own."),
    )

    class Meta:
        db_table = "dataset_items"
        verbose_name = _("dataset item")
        verbose_name_plural = _("dataset items")
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "key"], name="dataset_items_key_is_unique"),
        ]

    def __str__(self) -> str:
        return self.key
