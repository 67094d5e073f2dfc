"""Rules, what they have raised, who is told, what was sent to them, and when nothing is."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models

from ops.webhooks.models import MAX_ERROR, MAX_EXCERPT, DeliveryStatus
from prompts.models.base import ChangingRecord, Record

MAX_RULES: Final = 200
MAX_CHANNELS: Final = 20
MAX_ADDRESSES: Final = 20
MAX_METRIC: Final = 64
MAX_DESCRIPTION: Final = 1_000
MAX_REASON: Final = 200


class Severity(models.TextChoices):
    """From least to worst."""

    INFO = "info", "info"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Comparison(models.TextChoices):
    ABOVE = "above", "above"
    BELOW = "below", "below"


class AlertRule(ChangingRecord):
    """A limit for a figure, and how it stood when somebody looked last.

    It is raised past `threshold`, and over when the figure is back at `clear`: what swings between the two
    raises nothing anew.
    """

    name = models.CharField(max_length=100, unique=True)
    metric = models.CharField(max_length=MAX_METRIC)
    comparison = models.CharField(max_length=8, choices=Comparison.choices, default=Comparison.ABOVE)
    threshold = models.FloatField()
    clear = models.FloatField(help_text="The alert is over when the figure is back here.")
    for_seconds = models.PositiveIntegerField(
        default=0, help_text="It is raised when the figure was past the threshold for so long."
    )
    severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.WARNING)
    enabled = models.BooleanField("on", default=True)
    description = models.TextField(
        max_length=MAX_DESCRIPTION, blank=True, help_text="What it means, and what to do next."
    )
    pending_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when the figure is past the threshold."
    )
    value = models.FloatField(null=True, editable=False, help_text="The figure as it was measured last.")
    measured_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "alert_rules"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(comparison="above", clear__lt=models.F("threshold"))
                | models.Q(comparison="below", clear__gt=models.F("threshold")),
                name="alert_rules_clear_is_on_the_good_side",
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=Severity.values), name="alert_rules_severity_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Alert(Record):
    """Once that a rule was raised: open until `cleared_at`, and kept as history. Names outlive their rule."""

    rule = models.ForeignKey(AlertRule, null=True, on_delete=models.SET_NULL, related_name="alerts")
    rule_name = models.CharField(max_length=100)
    metric = models.CharField(max_length=MAX_METRIC)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    started_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    note = models.CharField(
        max_length=MAX_REASON, blank=True, help_text="Why it is over, where the figure is not why."
    )
    value = models.FloatField(help_text="When it was raised.")
    worst = models.FloatField()
    last = models.FloatField()
    told_at = models.DateTimeField(null=True, help_text="Empty: it was silenced all the time.")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=255, blank=True)

    class Meta:
        db_table = "alerts"
        default_permissions = ("view", "change")
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule"],
                condition=models.Q(cleared_at=None, rule__isnull=False),
                name="alerts_one_open_a_rule",
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="alerts_newest"),
            models.Index(fields=["cleared_at"], name="alerts_cleared"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} ({'open' if self.is_open else 'over'})"

    @property
    def is_open(self) -> bool:
        return self.cleared_at is None


class AlertSilence(Record):
    """Until then nothing is sent: of one rule, or of all. What happens is kept all the same."""

    rule = models.ForeignKey(
        AlertRule, null=True, blank=True, on_delete=models.CASCADE, related_name="silences",
        help_text="Empty: all rules, as for a maintenance window.",
    )  # fmt: skip
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=MAX_REASON)
    created_by = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        db_table = "alert_silences"
        ordering = ["-until", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("starts_at")),
                name="alert_silences_end_after_they_start",
            ),
        ]
        indexes = [models.Index(fields=["until"], name="alert_silences_until")]

    def __str__(self) -> str:
        return f"{self.rule or 'all rules'} until {self.until:%Y-%m-%d %H:%M} UTC"


class ChannelKind(models.TextChoices):
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"
    WEBHOOK = "webhook", "JSON"
    EMAIL = "email", "e-mail"


class AlertChannel(ChangingRecord):
    """Where alerts are sent. Address and secret are kept sealed (`ops.webhooks.sealing`)."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=16, choices=ChannelKind.choices)
    shown_url = models.CharField(max_length=300, blank=True, editable=False)
    sealed_url = models.TextField(blank=True, editable=False)
    sealed_secret = models.TextField(blank=True, editable=False)
    addresses = models.JSONField(default=list, blank=True, help_text="Of e-mail.")
    min_severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.WARNING)
    enabled = models.BooleanField("on", default=True)
    sends_cleared = models.BooleanField(default=True, help_text="Says, too, when an alert is over.")
    remind_hours = models.PositiveSmallIntegerField(
        default=24, help_text="So often it reminds of alerts that nobody has acknowledged; 0: never."
    )

    class Meta:
        db_table = "alert_channels"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=ChannelKind.values), name="alert_channels_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown(self) -> str:
        """Where to, as far as it may be shown."""
        return ", ".join(self.addresses) if self.kind == ChannelKind.EMAIL else self.shown_url


class NotificationEvent(models.TextChoices):
    RAISED = "raised"
    CLEARED = "cleared"
    REMINDER = "reminder"
    TEST = "test"


class AlertNotification(Record):
    """One message for one channel. `facts` are what it says, as they were when it was made."""

    alert = models.ForeignKey(Alert, null=True, on_delete=models.CASCADE, related_name="notifications")
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="notifications")
    event = models.CharField(max_length=16, choices=NotificationEvent.choices)
    number = models.PositiveIntegerField(default=0, help_text="Of reminders: the first is 1.")
    facts = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_excerpt = models.CharField(max_length=MAX_EXCERPT, blank=True)
    duration_ms = models.FloatField(null=True)
    error = models.CharField(max_length=MAX_ERROR, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        db_table = "alert_notifications"
        default_permissions = ("view",)
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "event", "number"], name="alert_notifications_one_an_event"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values),
                name="alert_notifications_status_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"], name="alert_notifications_due"),
            models.Index(fields=["channel", "-created_at", "-id"], name="alert_notifications_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel_id}"
