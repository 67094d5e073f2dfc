from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from ..validators import validate_item, validate_metadata, validate_score_name
from .base import Record
from .prompt import Prompt
from .version import PromptVersion


class Evaluation(Record):
    """How good a prompt was: a score from 0 to 1, and the metrics behind it."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="evaluations")
    version = models.ForeignKey(
        PromptVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="evaluations"
    )
    name = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        validators=[validate_score_name],
        help_text="What was judged, such as accuracy. Left empty: the main score.",
    )
    item = models.CharField(
        max_length=255,
        blank=True,
        db_default="",
        validators=[validate_item],
        help_text="On what: evaluations of several versions on the same item are compared as pairs.",
    )
    score = models.FloatField(
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)], help_text="From 0 (worst) to 1 (best)."
    )
    run = models.ForeignKey(
        "prompts.EvaluationRun", null=True, blank=True, on_delete=models.CASCADE, related_name="evaluations"
    )
    metrics = models.JSONField(default=dict, db_default={}, blank=True, validators=[validate_metadata])

    class Meta:
        db_table = "evaluations"
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
