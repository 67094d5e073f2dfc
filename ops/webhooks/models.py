"""Webhooks, and the log of what was sent to them."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ops.outbox.models import OutboxEvent
from prompts.models.base import ChangingRecord, Record

MAX_WEBHOOKS: Final = 100
MAX_EXCERPT: Final = 500
MAX_ERROR: Final = 300


class Format(models.TextChoices):
    GENERIC = "generic", _("JSON, signed")
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"


class Webhook(ChangingRecord):
    """An address that is told. Address and secrets are kept sealed (`ops.webhooks.sealing`)."""

    name = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("Unique; for people, such as Deployments.")
    )
    format = models.CharField(
        _("format"),
        max_length=16,
        choices=Format.choices,
        default=Format.GENERIC,
        help_text=_("JSON, signed: for programs. Slack, Discord: messages to read in a channel."),
    )
    shown_url = models.CharField(
        _("shown url"), max_length=300, editable=False, help_text=_("What may be shown of the address.")
    )
    sealed_url = models.TextField(_("sealed url"), editable=False)
    sealed_secret = models.TextField(_("sealed secret"), editable=False)
    sealed_old_secret = models.TextField(_("sealed old secret"), blank=True, editable=False)
    old_secret_until = models.DateTimeField(_("old secret until"), null=True, editable=False)
    kinds = models.JSONField(
        _("kinds"), default=list, blank=True, help_text=_("Kinds of events; none: all of them.")
    )
    folder = models.CharField(
        _("folder"), max_length=255, blank=True, help_text=_("Only prompts in it or below it.")
    )
    label = models.CharField(
        _("label"), max_length=36, blank=True, help_text=_("Only what happens to this label.")
    )
    is_active = models.BooleanField(
        _("is active"), default=True, help_text=_("Switched off, it is told nothing.")
    )
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, editable=False)
    paused_reason = models.CharField(_("paused reason"), max_length=MAX_ERROR, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )

    class Meta:
        db_table = "webhooks"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
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
    PENDING = "pending", _("waits")
    SENDING = "sending", _("being sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")


class Delivery(Record):
    """One event for one webhook. A replay is another delivery of the same event, counted from 1."""

    webhook = models.ForeignKey(
        Webhook, verbose_name=_("webhook"), on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.ForeignKey(
        OutboxEvent, verbose_name=_("event"), on_delete=models.CASCADE, related_name="deliveries"
    )
    replay = models.PositiveIntegerField(_("replay"), default=0)
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

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
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
            models.Index(fields=["-created_at", "-id"], name="deliveries_newest"),
            models.Index(fields=["status", "next_attempt_at"], name="webhook_deliveries_due"),
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhook_deliveries_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}"
