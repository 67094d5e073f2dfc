from django.conf import settings
from django.db import models

from .base import ChangingRecord, Record
from .dataset import Dataset
from .prompt import Prompt
from .version import PromptVersion


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunQuerySet(models.QuerySet["EvaluationRun"]):
    def with_progress(self) -> "RunQuerySet":
        """With ``done``, the number of items that are worked off; the last made first."""
        # Said again: the order of the model is none where rows are grouped.
        return self.annotate(done=models.Count("outputs")).order_by("-created_at", "-pk")


class EvaluationRun(ChangingRecord):
    """A version tried on the items of a dataset, and judged by metrics."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(PromptVersion, on_delete=models.CASCADE, related_name="runs")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="runs")
    name = models.CharField(max_length=255, blank=True)
    status = models.CharField(
        max_length=16, choices=RunStatus.choices, default=RunStatus.QUEUED, db_default=RunStatus.QUEUED
    )
    metrics = models.JSONField(help_text="What judges the outputs, as prompts.evaluating.metrics reads it.")
    model = models.CharField(max_length=255, blank=True, help_text="Empty: outputs are sent in.")
    parameters = models.JSONField(default=dict, blank=True, help_text="Of the model, such as temperature.")
    budget = models.FloatField(null=True, blank=True, help_text="In US dollars; the run stops before it.")
    cost = models.FloatField(default=0.0, db_default=0.0, help_text="In US dollars, of model and judge.")
    total = models.PositiveIntegerField(default=0, help_text="Items of the dataset when it began.")
    problem = models.TextField(blank=True, help_text="Why it failed, or items did.")
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="Until when a worker is on it.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        db_table = "evaluation_runs"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status"], name="evaluation_runs_status")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=RunStatus.values), name="evaluation_runs_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)

    @property
    def is_over(self) -> bool:
        return self.status in (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)


class RunOutput(Record):
    """What came out for one item, with what it took."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="outputs")
    item = models.CharField(max_length=255)
    output = models.TextField(blank=True)
    problem = models.TextField(blank=True, help_text="Why there is no output.")
    latency_ms = models.FloatField(null=True)
    cost = models.FloatField(null=True, help_text="In US dollars; empty: not known.")
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "run_outputs"
        ordering = ["item"]
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="run_outputs_item_is_unique")]

    def __str__(self) -> str:
        return self.item
