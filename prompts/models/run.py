from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import ChangingRecord, Record
from .dataset import Dataset
from .prompt import Prompt
from .version import PromptVersion


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RunQuerySet(models.QuerySet["EvaluationRun"]):
    def with_progress(self) -> "RunQuerySet":
        """With ``done``, the number of items that are worked off; the last made first."""
        # Said again: the order of the model is none where rows are grouped.
        return self.annotate(done=models.Count("outputs")).order_by("-created_at", "-pk")


class EvaluationRun(ChangingRecord):
    """A version tried on the items of a dataset, and judged by metrics."""

    prompt = models.ForeignKey(
        Prompt,
        verbose_name=_("prompt"),
        on_delete=models.CASCADE,
        related_name="runs",
        help_text=_("The prompt that is tried."),
    )
    version = models.ForeignKey(
        PromptVersion,
        verbose_name=_("version"),
        on_delete=models.CASCADE,
        related_name="runs",
        help_text=_("The version that is tried."),
    )
    dataset = models.ForeignKey(
        Dataset,
        verbose_name=_("dataset"),
        on_delete=models.CASCADE,
        related_name="runs",
        help_text=_("Its items are what the version is tried on."),
    )
    name = models.CharField(
        _("name"), max_length=255, blank=True, help_text=_("To find the run again, such as shorter answers.")
    )
    status = models.CharField(
        _("status"),
        max_length=16,
        choices=RunStatus.choices,
        default=RunStatus.QUEUED,
        db_default=RunStatus.QUEUED,
        help_text=_("How far it is."),
    )
    metrics = models.JSONField(
        _("metrics"), help_text=_("What judges the outputs, as prompts.evaluating.metrics reads it.")
    )
    model = models.CharField(
        _("model"), max_length=255, blank=True, help_text=_("Empty: outputs are sent in.")
    )
    parameters = models.JSONField(
        _("parameters"), default=dict, blank=True, help_text=_("Of the model, such as temperature.")
    )
    budget = models.FloatField(
        _("budget"), null=True, blank=True, help_text=_("In US dollars; the run stops before it.")
    )
    cost = models.FloatField(
        _("cost"), default=0.0, db_default=0.0, help_text=_("In US dollars, of model and judge.")
    )
    total = models.PositiveIntegerField(
        _("total"), default=0, help_text=_("Items of the dataset when it began.")
    )
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why it failed, or items did."))
    claimed_until = models.DateTimeField(
        _("claimed until"), null=True, blank=True, help_text=_("Until when a worker is on it.")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who began it."),
    )
    finished_at = models.DateTimeField(
        _("finished at"), null=True, blank=True, help_text=_("When it was over.")
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        db_table = "evaluation_runs"
        verbose_name = _("evaluation run")
        verbose_name_plural = _("evaluation runs")
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

    run = models.ForeignKey(
        EvaluationRun, verbose_name=_("run"), on_delete=models.CASCADE, related_name="outputs"
    )
    item = models.CharField(_("item"), max_length=255)
    output = models.TextField(_("output"), blank=True)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why there is no output."))
    latency_ms = models.FloatField(_("latency ms"), null=True)
    cost = models.FloatField(_("cost"), null=True, help_text=_("In US dollars; empty: not known."))
    tokens_in = models.PositiveIntegerField(_("tokens in"), null=True)
    tokens_out = models.PositiveIntegerField(_("tokens out"), null=True)

    class Meta:
        db_table = "run_outputs"
        verbose_name = _("run output")
        verbose_name_plural = _("run outputs")
        ordering = ["item"]
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="run_outputs_item_is_unique")]

    def __str__(self) -> str:
        return self.item
