"""Rules, what they have raised, who is told, what was sent to them, and when nothing is."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

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

    INFO = "info", _("info")
    WARNING = "warning", _("warning")
    CRITICAL = "critical", _("critical")

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Comparison(models.TextChoices):
    ABOVE = "above", _("above")
    BELOW = "below", _("below")


class AlertRule(ChangingRecord):
    """A limit for a figure, and how it stood when somebody looked last.

    It is raised past `threshold`, and over when the figure is back at `clear`: what swings between the two
    raises nothing anew.
    """

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        help_text=_("Unique; what alerts are called, such as Searches are slow."),
    )
    metric = models.CharField(
        _("figure"),
        max_length=MAX_METRIC,
        help_text=_("The figure that is looked at every 30 seconds. It cannot be changed later."),
    )
    comparison = models.CharField(
        _("comparison"),
        max_length=8,
        choices=Comparison.choices,
        default=Comparison.ABOVE,
        help_text=_("Above: too much of it is bad. Below: too little is."),
    )
    threshold = models.FloatField(
        _("threshold"),
        help_text=_("The alert is raised when the figure is past this limit, in the unit of the figure."),
    )
    clear = models.FloatField(_("over at"), help_text=_("The alert is over when the figure is back here."))
    for_seconds = models.PositiveIntegerField(
        _("for so many seconds"),
        default=0,
        help_text=_("It is raised when the figure was past the threshold for so long."),
    )
    severity = models.CharField(
        _("severity"),
        max_length=16,
        choices=Severity.choices,
        default=Severity.WARNING,
        help_text=_("How bad it is: channels can be set to be told of the worse ones only."),
    )
    enabled = models.BooleanField(
        _("on"),
        default=True,
        help_text=_("Switched off, the figure is not looked at, and nothing is raised."),
    )
    description = models.TextField(
        _("description"),
        max_length=MAX_DESCRIPTION,
        blank=True,
        help_text=_("What it means, and what to do next."),
    )
    pending_since = models.DateTimeField(
        _("pending since"),
        null=True,
        editable=False,
        help_text=_("Since when the figure is past the threshold."),
    )
    value = models.FloatField(
        _("value"), null=True, editable=False, help_text=_("The figure as it was measured last.")
    )
    measured_at = models.DateTimeField(_("measured at"), null=True, editable=False)

    class Meta:
        db_table = "alert_rules"
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
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

    rule = models.ForeignKey(
        AlertRule, verbose_name=_("rule"), null=True, on_delete=models.SET_NULL, related_name="alerts"
    )
    rule_name = models.CharField(_("name of the rule"), max_length=100)
    metric = models.CharField(_("figure"), max_length=MAX_METRIC)
    severity = models.CharField(_("severity"), max_length=16, choices=Severity.choices)
    started_at = models.DateTimeField(_("started at"))
    cleared_at = models.DateTimeField(_("cleared at"), null=True)
    note = models.CharField(
        _("note"),
        max_length=MAX_REASON,
        blank=True,
        help_text=_("Why it is over, where the figure is not why."),
    )
    value = models.FloatField(_("value"), help_text=_("When it was raised."))
    worst = models.FloatField(_("worst"))
    last = models.FloatField(_("last"))
    told_at = models.DateTimeField(
        _("told at"), null=True, help_text=_("Empty: it was silenced all the time.")
    )
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=255, blank=True)

    class Meta:
        db_table = "alerts"
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
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
        AlertRule,
        verbose_name=_("rule"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="silences",
        help_text=_("Empty: all rules, as for a maintenance window."),
    )
    starts_at = models.DateTimeField(
        _("starts at"), help_text=_("From then on nothing is sent. Alerts are raised and kept all the same.")
    )
    until = models.DateTimeField(_("until"), help_text=_("Afterwards, what is still open is sent."))
    reason = models.CharField(
        _("reason"),
        max_length=MAX_REASON,
        help_text=_("For whoever wonders why nothing came, such as Maintenance on Sunday."),
    )
    created_by = models.CharField(_("created by"), max_length=255, blank=True, editable=False)

    class Meta:
        db_table = "alert_silences"
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
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
    EMAIL = "email", _("e-mail")


class AlertChannel(ChangingRecord):
    """Where alerts are sent. Address and secret are kept sealed (`ops.webhooks.sealing`)."""

    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("Unique; such as On call."))
    kind = models.CharField(
        _("kind"),
        max_length=16,
        choices=ChannelKind.choices,
        help_text=_("What is at the other end. It decides which of the boxes below are needed."),
    )
    shown_url = models.CharField(_("shown url"), max_length=300, blank=True, editable=False)
    sealed_url = models.TextField(_("sealed url"), blank=True, editable=False)
    sealed_secret = models.TextField(_("sealed secret"), blank=True, editable=False)
    addresses = models.JSONField(_("addresses"), default=list, blank=True, help_text=_("Of e-mail."))
    min_severity = models.CharField(
        _("least severity"),
        max_length=16,
        choices=Severity.choices,
        default=Severity.WARNING,
        help_text=_("It is told of alerts that are at least so bad."),
    )
    enabled = models.BooleanField(
        _("on"), default=True, help_text=_("Switched off, it is told nothing; nothing is sent later either.")
    )
    sends_cleared = models.BooleanField(
        _("tell when it is over"), default=True, help_text=_("Says, too, when an alert is over.")
    )
    remind_hours = models.PositiveSmallIntegerField(
        _("hours between reminders"),
        default=24,
        help_text=_("So often it reminds of alerts that nobody has acknowledged; 0: never."),
    )

    class Meta:
        db_table = "alert_channels"
        verbose_name = _("alert channel")
        verbose_name_plural = _("alert channels")
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
    RAISED = "raised", _("Raised")
    CLEARED = "cleared", _("Cleared")
    REMINDER = "reminder", _("Reminder")
    TEST = "test", _("Test")


class AlertNotification(Record):
    """One message for one channel. `facts` are what it says, as they were when it was made."""

    alert = models.ForeignKey(
        Alert, verbose_name=_("alert"), null=True, on_delete=models.CASCADE, related_name="notifications"
    )
    channel = models.ForeignKey(
        AlertChannel, verbose_name=_("channel"), on_delete=models.CASCADE, related_name="notifications"
    )
    event = models.CharField(_("event"), max_length=16, choices=NotificationEvent.choices)
    number = models.PositiveIntegerField(_("number"), default=0, help_text=_("Of reminders: the first is 1."))
    facts = models.JSONField(_("facts"), default=dict)
    status = models.CharField(
        _("status"), max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    response_status = models.PositiveSmallIntegerField(_("response status"), null=True)
    response_excerpt = models.CharField(_("response excerpt"), max_length=MAX_EXCERPT, blank=True)
    duration_ms = models.FloatField(_("duration ms"), null=True)
    error = models.CharField(_("error"), max_length=MAX_ERROR, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        db_table = "alert_notifications"
        verbose_name = _("alert notification")
        verbose_name_plural = _("alert notifications")
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
            models.Index(fields=["-created_at", "-id"], name="alert_notifications_all"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel_id}"
