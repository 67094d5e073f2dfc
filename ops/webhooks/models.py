"""Webhooks, and the log of what was sent to them."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models

from ops.outbox.models import OutboxEvent
from prompts.models.base import ChangingRecord, Record

MAX_WEBHOOKS: Final = 100
MAX_EXCERPT: Final = 500
MAX_ERROR: Final = 300


class Format(models.TextChoices):
    GENERIC = "generic", "JSON, signed"
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"


class Webhook(ChangingRecord):
    """An address that is told. Address and secrets are kept sealed (`ops.webhooks.sealing`)."""

    name = models.CharField(max_length=100, unique=True)
    format = models.CharField(max_length=16, choices=Format.choices, default=Format.GENERIC)
    shown_url = models.CharField(
        max_length=300, editable=False, help_text="What may be shown of the address."
    )
    sealed_url = models.TextField(editable=False)
    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    kinds = models.JSONField(default=list, blank=True, help_text="Kinds of events; none: all of them.")
    folder = models.CharField(max_length=255, blank=True, help_text="Only prompts in it or below it.")
    label = models.CharField(max_length=36, blank=True, help_text="Only what happens to this label.")
    is_active = models.BooleanField(default=True, help_text="Switched off, it is told nothing.")
    failing_since = models.DateTimeField(null=True, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_reason = models.CharField(max_length=MAX_ERROR, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    class Meta:
        db_table = "webhooks"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(format__in=("generic", "slack", "discord")),
                name="webhooks_format_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def wants(self, event: OutboxEvent) -> bool:
        """Is it told of this? Never of what happened before it was there."""
        if not self.is_active or event.happened_at < self.created_at:
            return False
        if self.kinds and event.kind not in self.kinds:
            return False
        if self.folder and not event.prompt_name.startswith(f"{self.folder}/"):
            return False
        return not self.label or event.data.get("label") == self.label


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "waits"
    SENDING = "sending", "being sent"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "given up"


class Delivery(Record):
    """One event for one webhook. A replay is another delivery of the same event, counted from 1."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    replay = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_excerpt = models.CharField(max_length=MAX_EXCERPT, blank=True)
    duration_ms = models.FloatField(null=True)
    error = models.CharField(max_length=MAX_ERROR, blank=True)

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "deliveries"
        default_permissions = ("view",)
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "event", "replay"], name="webhook_deliveries_one_an_event"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values),
                name="webhook_deliveries_status_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"], name="webhook_deliveries_due"),
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhook_deliveries_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}"
