from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..validators import validate_item, validate_metadata, validate_score_name
from .base import Record
from .prompt import Prompt
from .version import PromptVersion


class Evaluation(Record):
    """How good a prompt was: a score from 0 to 1, and the metrics behind it."""

    prompt = models.ForeignKey(
        Prompt,
        verbose_name=_("prompt"),
        on_delete=models.CASCADE,
        related_name="evaluations",
        help_text=_("The prompt that was judged."),
    )
    version = models.ForeignKey(
        PromptVersion,
        verbose_name=_("version"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="evaluations",
        help_text=_("The version that was judged. Left empty: the prompt's current version."),
    )
    name = models.CharField(
        _("name"),
        max_length=64,
        blank=True,
        db_default="",
        validators=[validate_score_name],
        help_text=_("What was judged, such as accuracy. Left empty: the main score."),
    )
    item = models.CharField(
        _("item"),
        max_length=255,
        blank=True,
        db_default="",
        validators=[validate_item],
        help_text=_("On what: evaluations of several versions on the same item are compared as pairs."),
    )
    score = models.FloatField(
        _("score"),
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 (worst) to 1 (best)."),
    )
    run = models.ForeignKey(
        "prompts.EvaluationRun",
        verbose_name=_("run"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="evaluations",
    )
    metrics = models.JSONField(
        _("metrics"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_('The figures behind the score, as a JSON object, such as {"words": 120}.'),
    )

    class Meta:
        db_table = "evaluations"
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["version", "name", "item"], name="evaluations_of_a_version"),
            models.Index(fields=["-created_at", "-id"], name="evaluations_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(score__gte=0.0, score__lte=1.0), name="evaluations_score_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score:.2f}"
