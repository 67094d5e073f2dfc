from typing import Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from prompts.models.base import Record

MAX_KIND: Final = 64
MAX_KEY: Final = 255
MAX_MESSAGE: Final = 200
MAX_CAUSE: Final = 300


class JobState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN: Final = (JobState.WAITING, JobState.RUNNING)
OVER: Final = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Job(Record):
    """Something long that is done in the background, with how far it has come and what came of it.

    Whoever works on it holds it until `lease_until`, which its progress (`ops.jobs.run`) and a thread beside
    it (`ops.jobs.heartbeat`) renew.
    """

    kind = models.CharField(_("kind"), max_length=MAX_KIND, editable=False)
    arguments = models.JSONField(_("arguments"), default=dict, editable=False)
    state = models.CharField(
        _("state"), max_length=16, choices=JobState.choices, default=JobState.WAITING, editable=False
    )
    key = models.CharField(
        _("key"),
        max_length=MAX_KEY,
        blank=True,
        editable=False,
        help_text=_("Of those that are open there is one of a key."),
    )
    slot = models.CharField(
        _("slot"),
        max_length=MAX_KEY,
        blank=True,
        editable=False,
        help_text=_("The schedule and moment that started it."),
    )
    done = models.PositiveBigIntegerField(_("done"), default=0, editable=False)
    total = models.PositiveBigIntegerField(_("total"), null=True, editable=False)
    message = models.CharField(_("message"), max_length=MAX_MESSAGE, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    max_attempts = models.PositiveIntegerField(_("max attempts"), default=1, editable=False)
    cause = models.CharField(
        _("cause"),
        max_length=MAX_CAUSE,
        blank=True,
        editable=False,
        help_text=_("Why the last attempt failed."),
    )
    result = models.JSONField(_("result"), null=True, editable=False)
    # The name stays when the user goes.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("actor"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    actor_name = models.CharField(_("actor name"), max_length=255, blank=True, editable=False)
    not_before = models.DateTimeField(_("not before"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(
        _("started at"), null=True, editable=False, help_text=_("The last attempt.")
    )
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)
    queued_at = models.DateTimeField(
        _("queued at"), null=True, editable=False, help_text=_("When a worker was told of it.")
    )
    holder = models.CharField(_("holder"), max_length=128, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True, editable=False)

    class Meta:
        db_table = "jobs"
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        default_permissions = ("view", "change")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="jobs_state_is_known"),
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(state__in=OPEN) & ~models.Q(key=""),
                name="jobs_key_of_open_ones",
            ),
            models.UniqueConstraint(
                fields=["slot"], condition=~models.Q(slot=""), name="jobs_slot_is_started_once"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="jobs_newest"),
            models.Index(fields=["state", "-created_at"], name="jobs_of_a_state"),
            models.Index(fields=["kind", "state", "-finished_at"], name="jobs_of_a_kind"),
            models.Index(fields=["not_before"], name="jobs_due", condition=models.Q(state=JobState.WAITING)),
            models.Index(
                fields=["lease_until"], name="jobs_leased", condition=models.Q(state=JobState.RUNNING)
            ),
            models.Index(fields=["finished_at"], name="jobs_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took; None where it is not over."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())
