from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..validators import validate_metadata
from .base import ChangingRecord, RandomHex, new_id


class TraceScore(ChangingRecord):
    """What an application, or somebody who used it, thought of one of its runs.

    Sent by clients of Langfuse; the trace itself is kept elsewhere or nowhere. The id is the client's, so
    that a score sent twice is one score.
    """

    class DataType(models.TextChoices):
        NUMERIC = "NUMERIC", _("Numeric")
        CATEGORICAL = "CATEGORICAL", _("Categorical")
        BOOLEAN = "BOOLEAN", _("Boolean")
        TEXT = "TEXT", _("Text")
        CORRECTION = "CORRECTION", _("Correction")

    id = models.CharField(
        _("id"), primary_key=True, max_length=255, default=new_id, db_default=RandomHex(), editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="trace_scores",
        help_text=_("Who sent it."),
    )
    trace_id = models.CharField(_("trace id"), max_length=255, blank=True, db_default="")
    observation_id = models.CharField(_("observation id"), max_length=255, blank=True, db_default="")
    session_id = models.CharField(_("session id"), max_length=255, blank=True, db_default="")
    dataset_run_id = models.CharField(_("dataset run id"), max_length=255, blank=True, db_default="")
    name = models.CharField(_("name"), max_length=255)
    data_type = models.CharField(_("data type"), max_length=16, choices=DataType.choices)
    value = models.FloatField(
        _("value"), null=True, blank=True, help_text=_("Of a number, and 0 or 1 of a boolean.")
    )
    string_value = models.TextField(
        _("string value"), blank=True, db_default="", help_text=_("Of a category or a text.")
    )
    comment = models.TextField(_("comment"), blank=True, db_default="")
    environment = models.CharField(_("environment"), max_length=64, default="default", db_default="default")
    config_id = models.CharField(_("config id"), max_length=255, blank=True, db_default="")
    metadata = models.JSONField(
        _("metadata"), default=dict, db_default={}, blank=True, validators=[validate_metadata]
    )
    timestamp = models.DateTimeField(_("timestamp"))

    class Meta:
        db_table = "trace_scores"
        verbose_name = _("trace score")
        verbose_name_plural = _("trace scores")
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="trace_scores_newest"),
            models.Index(fields=["name", "-timestamp"], name="trace_scores_of_a_name"),
            models.Index(fields=["trace_id"], name="trace_scores_of_a_trace"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(data_type__in=("NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION")),
                name="trace_scores_data_type_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False) | ~models.Q(data_type__in=("NUMERIC", "BOOLEAN")),
                name="trace_scores_numbers_have_a_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.string_value or self.value}"
