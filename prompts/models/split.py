from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from ..validators import validate_label
from .base import Record
from .prompt import Prompt


class LabelSplit(Record):
    """A label that serves several versions at a time, by weights, to find out which is better.

    Its arms never change: other weights are another split, for the test of significance reckons with them.
    """

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="splits")
    label = models.CharField(max_length=36, validators=[validate_label])
    arms = models.JSONField(help_text='[{"version": 1, "weight": 50}, …]; the first is the control.')
    salt = models.CharField(max_length=32)
    alpha = models.FloatField(default=0.05, validators=[MinValueValidator(0.0001), MaxValueValidator(0.5)])
    reason = models.TextField(blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "label_splits"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "label"],
                condition=models.Q(ended_at=None),
                name="label_splits_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.prompt_id}"


class SplitSubject(models.Model):
    """Somebody, known by a hash alone, who was served an arm; and what came of it, once that is known."""

    split = models.ForeignKey(LabelSplit, on_delete=models.CASCADE, related_name="subjects")
    subject = models.CharField(max_length=64)
    arm = models.PositiveSmallIntegerField()
    exposed_at = models.DateTimeField(db_default=Now())
    outcome = models.FloatField(
        null=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)], help_text="0 to 1."
    )
    outcome_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "split_subjects"
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(fields=["split", "subject"], name="split_subjects_subject_is_unique"),
        ]
        indexes = [models.Index(fields=["split", "arm", "outcome"], name="split_subjects_of_an_arm")]

    def __str__(self) -> str:
        return f"{self.subject[:8]} in arm {self.arm}"
