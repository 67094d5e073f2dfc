from django.db import models
from django.utils.translation import gettext_lazy as _

# Django looks for models here.
from ops.alerts.models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence
from ops.audit.models import AuditEntry, AuditPruning
from ops.backups.models import BackupDrill
from ops.figures.models import FigureMinute
from ops.health.models import HealthRecord, HealthSign
from ops.jobs.models import Job
from ops.outbox.models import OutboxEvent
from ops.scheduling.models import SchedulerLease
from ops.slow_queries.models import SlowQuery
from ops.webhooks.models import Delivery, Webhook

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertNotification",
    "AlertRule",
    "AlertSilence",
    "AuditEntry",
    "AuditPruning",
    "BackupDrill",
    "Delivery",
    "Environment",
    "FigureMinute",
    "HealthRecord",
    "HealthSign",
    "IdempotencyKey",
    "Job",
    "OutboxEvent",
    "SchedulerLease",
    "SlowQuery",
    "Webhook",
]


class Environment(models.Model):
    """Stands for an environment where Django asks for a model: permissions, the log of the console.

    It has no table: the provider knows what environments there are.
    """

    name = models.CharField(
        _("name"),
        max_length=63,
        primary_key=True,
        help_text=_("Lower-case letters, digits and hyphens, such as feature-x."),
    )

    class Meta:
        managed = False
        verbose_name = _("environment")
        verbose_name_plural = _("environments")

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """A request that a caller named, and its answer once there is one (see `ops.idempotency`)."""

    owner = models.CharField(_("owner"), max_length=64, help_text=_("Primary key of the user who sent it."))
    key = models.CharField(_("key"), max_length=255)
    request_hash = models.CharField(_("request hash"), max_length=64)
    created_at = models.DateTimeField(_("created at"), db_index=True)
    claimed_at = models.DateTimeField(_("claimed at"))
    status = models.PositiveSmallIntegerField(
        _("status"), null=True, help_text=_("Empty: it is being carried out.")
    )
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    body = models.BinaryField(_("body"), default=bytes)

    class Meta:
        db_table = "idempotency_keys"
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        default_permissions = ()
        constraints = (models.UniqueConstraint(name="idempotency_keys_owner_key", fields=("owner", "key")),)

    def __str__(self) -> str:
        return self.key
