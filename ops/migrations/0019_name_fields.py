import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import prompts.models.base
from vectors.migrations._names import NameFields


class Migration(migrations.Migration):
    dependencies = [
        ("ops", "0018_list_the_newest_deliveries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        NameFields(
            state_operations=[
                migrations.AlterModelOptions(
                    name="alert",
                    options={
                        "default_permissions": ("view", "change"),
                        "ordering": ["-started_at", "-id"],
                        "verbose_name": "alert",
                        "verbose_name_plural": "alerts",
                    },
                ),
                migrations.AlterModelOptions(
                    name="alertchannel",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "alert channel",
                        "verbose_name_plural": "alert channels",
                    },
                ),
                migrations.AlterModelOptions(
                    name="alertnotification",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-created_at", "-id"],
                        "verbose_name": "alert notification",
                        "verbose_name_plural": "alert notifications",
                    },
                ),
                migrations.AlterModelOptions(
                    name="alertrule",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "alert rule",
                        "verbose_name_plural": "alert rules",
                    },
                ),
                migrations.AlterModelOptions(
                    name="alertsilence",
                    options={
                        "ordering": ["-until", "-id"],
                        "verbose_name": "silence",
                        "verbose_name_plural": "silences",
                    },
                ),
                migrations.AlterModelOptions(
                    name="auditentry",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-id"],
                        "verbose_name": "audit entry",
                        "verbose_name_plural": "audit log",
                    },
                ),
                migrations.AlterModelOptions(
                    name="auditpruning",
                    options={
                        "default_permissions": (),
                        "verbose_name": "pruning of the audit log",
                        "verbose_name_plural": "prunings of the audit log",
                    },
                ),
                migrations.AlterModelOptions(
                    name="delivery",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-created_at", "-id"],
                        "verbose_name": "delivery",
                        "verbose_name_plural": "deliveries",
                    },
                ),
                migrations.AlterModelOptions(
                    name="environment",
                    options={
                        "managed": False,
                        "verbose_name": "environment",
                        "verbose_name_plural": "environments",
                    },
                ),
                migrations.AlterModelOptions(
                    name="figureminute",
                    options={
                        "default_permissions": (),
                        "verbose_name": "figures of a minute",
                        "verbose_name_plural": "figures of minutes",
                    },
                ),
                migrations.AlterModelOptions(
                    name="healthrecord",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-at", "-pk"],
                        "verbose_name": "health record",
                        "verbose_name_plural": "health records",
                    },
                ),
                migrations.AlterModelOptions(
                    name="healthsign",
                    options={
                        "default_permissions": (),
                        "verbose_name": "health sign",
                        "verbose_name_plural": "health signs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="idempotencykey",
                    options={
                        "default_permissions": (),
                        "verbose_name": "idempotency key",
                        "verbose_name_plural": "idempotency keys",
                    },
                ),
                migrations.AlterModelOptions(
                    name="job",
                    options={
                        "default_permissions": ("view", "change"),
                        "ordering": ["-created_at", "-id"],
                        "verbose_name": "job",
                        "verbose_name_plural": "jobs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="outboxevent",
                    options={
                        "default_permissions": (),
                        "ordering": ["happened_at", "id"],
                        "verbose_name": "outbox event",
                        "verbose_name_plural": "outbox events",
                    },
                ),
                migrations.AlterModelOptions(
                    name="schedulerlease",
                    options={
                        "default_permissions": (),
                        "verbose_name": "scheduler lease",
                        "verbose_name_plural": "scheduler leases",
                    },
                ),
                migrations.AlterModelOptions(
                    name="slowquery",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-id"],
                        "verbose_name": "slow query",
                        "verbose_name_plural": "slow queries",
                    },
                ),
                migrations.AlterModelOptions(
                    name="webhook",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "webhook",
                        "verbose_name_plural": "webhooks",
                    },
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="acknowledged_at",
                    field=models.DateTimeField(null=True, verbose_name="acknowledged at"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="acknowledged_by",
                    field=models.CharField(blank=True, max_length=255, verbose_name="acknowledged by"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="cleared_at",
                    field=models.DateTimeField(null=True, verbose_name="cleared at"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="last",
                    field=models.FloatField(verbose_name="last"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="metric",
                    field=models.CharField(max_length=64, verbose_name="figure"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="note",
                    field=models.CharField(
                        blank=True,
                        help_text="Why it is over, where the figure is not why.",
                        max_length=200,
                        verbose_name="note",
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="rule",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="alerts",
                        to="ops.alertrule",
                        verbose_name="rule",
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="rule_name",
                    field=models.CharField(max_length=100, verbose_name="name of the rule"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="severity",
                    field=models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        max_length=16,
                        verbose_name="severity",
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="started_at",
                    field=models.DateTimeField(verbose_name="started at"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="told_at",
                    field=models.DateTimeField(
                        help_text="Empty: it was silenced all the time.", null=True, verbose_name="told at"
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="value",
                    field=models.FloatField(help_text="When it was raised.", verbose_name="value"),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="worst",
                    field=models.FloatField(verbose_name="worst"),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="addresses",
                    field=models.JSONField(
                        blank=True, default=list, help_text="Of e-mail.", verbose_name="addresses"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="enabled",
                    field=models.BooleanField(
                        default=True,
                        help_text="Switched off, it is told nothing; nothing is sent later either.",
                        verbose_name="on",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="kind",
                    field=models.CharField(
                        choices=[
                            ("slack", "Slack"),
                            ("discord", "Discord"),
                            ("webhook", "JSON"),
                            ("email", "e-mail"),
                        ],
                        help_text="What is at the other end. It decides which of the boxes below are needed.",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="min_severity",
                    field=models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        default="warning",
                        help_text="It is told of alerts that are at least so bad.",
                        max_length=16,
                        verbose_name="least severity",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="name",
                    field=models.CharField(
                        help_text="Unique; such as On call.", max_length=100, unique=True, verbose_name="name"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="remind_hours",
                    field=models.PositiveSmallIntegerField(
                        default=24,
                        help_text="So often it reminds of alerts that nobody has acknowledged; 0: never.",
                        verbose_name="hours between reminders",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="sealed_secret",
                    field=models.TextField(blank=True, editable=False, verbose_name="sealed secret"),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="sealed_url",
                    field=models.TextField(blank=True, editable=False, verbose_name="sealed url"),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="sends_cleared",
                    field=models.BooleanField(
                        default=True,
                        help_text="Says, too, when an alert is over.",
                        verbose_name="tell when it is over",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="shown_url",
                    field=models.CharField(
                        blank=True, editable=False, max_length=300, verbose_name="shown url"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertchannel",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="alert",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="ops.alert",
                        verbose_name="alert",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="asked_by",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="attempts",
                    field=models.PositiveSmallIntegerField(default=0, verbose_name="attempts"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="channel",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="ops.alertchannel",
                        verbose_name="channel",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="claimed_at",
                    field=models.DateTimeField(null=True, verbose_name="claimed at"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="delivered_at",
                    field=models.DateTimeField(null=True, verbose_name="delivered at"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="duration_ms",
                    field=models.FloatField(null=True, verbose_name="duration ms"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="error",
                    field=models.CharField(blank=True, max_length=300, verbose_name="error"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="event",
                    field=models.CharField(
                        choices=[
                            ("raised", "Raised"),
                            ("cleared", "Cleared"),
                            ("reminder", "Reminder"),
                            ("test", "Test"),
                        ],
                        max_length=16,
                        verbose_name="event",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="facts",
                    field=models.JSONField(default=dict, verbose_name="facts"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="next_attempt_at",
                    field=models.DateTimeField(verbose_name="next attempt at"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="number",
                    field=models.PositiveIntegerField(
                        default=0, help_text="Of reminders: the first is 1.", verbose_name="number"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="response_excerpt",
                    field=models.CharField(blank=True, max_length=500, verbose_name="response excerpt"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="response_status",
                    field=models.PositiveSmallIntegerField(null=True, verbose_name="response status"),
                ),
                migrations.AlterField(
                    model_name="alertnotification",
                    name="status",
                    field=models.CharField(
                        choices=[
                            ("pending", "waits"),
                            ("sending", "being sent"),
                            ("delivered", "delivered"),
                            ("failed", "given up"),
                        ],
                        default="pending",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="clear",
                    field=models.FloatField(
                        help_text="The alert is over when the figure is back here.", verbose_name="over at"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="comparison",
                    field=models.CharField(
                        choices=[("above", "above"), ("below", "below")],
                        default="above",
                        help_text="Above: too much of it is bad. Below: too little is.",
                        max_length=8,
                        verbose_name="comparison",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="description",
                    field=models.TextField(
                        blank=True,
                        help_text="What it means, and what to do next.",
                        max_length=1000,
                        verbose_name="description",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="enabled",
                    field=models.BooleanField(
                        default=True,
                        help_text="Switched off, the figure is not looked at, and nothing is raised.",
                        verbose_name="on",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="for_seconds",
                    field=models.PositiveIntegerField(
                        default=0,
                        help_text="It is raised when the figure was past the threshold for so long.",
                        verbose_name="for so many seconds",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="measured_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="measured at"),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="metric",
                    field=models.CharField(
                        help_text="The figure that is looked at every 30 seconds. It cannot be changed later.",
                        max_length=64,
                        verbose_name="figure",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="name",
                    field=models.CharField(
                        help_text="Unique; what alerts are called, such as Searches are slow.",
                        max_length=100,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="pending_since",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="Since when the figure is past the threshold.",
                        null=True,
                        verbose_name="pending since",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="severity",
                    field=models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        default="warning",
                        help_text="How bad it is: channels can be set to be told of the worse ones only.",
                        max_length=16,
                        verbose_name="severity",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="threshold",
                    field=models.FloatField(
                        help_text="The alert is raised when the figure is past this limit, in the unit of the figure.",
                        verbose_name="threshold",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertrule",
                    name="value",
                    field=models.FloatField(
                        editable=False,
                        help_text="The figure as it was measured last.",
                        null=True,
                        verbose_name="value",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="created_by",
                    field=models.CharField(
                        blank=True, editable=False, max_length=255, verbose_name="created by"
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="reason",
                    field=models.CharField(
                        help_text="For whoever wonders why nothing came, such as Maintenance on Sunday.",
                        max_length=200,
                        verbose_name="reason",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="rule",
                    field=models.ForeignKey(
                        blank=True,
                        help_text="Empty: all rules, as for a maintenance window.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="silences",
                        to="ops.alertrule",
                        verbose_name="rule",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="starts_at",
                    field=models.DateTimeField(
                        help_text="From then on nothing is sent. Alerts are raised and kept all the same.",
                        verbose_name="starts at",
                    ),
                ),
                migrations.AlterField(
                    model_name="alertsilence",
                    name="until",
                    field=models.DateTimeField(
                        help_text="Afterwards, what is still open is sent.", verbose_name="until"
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="action",
                    field=models.CharField(
                        help_text="What was done, such as label.moved.", max_length=64, verbose_name="action"
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="actor_id",
                    field=models.CharField(blank=True, max_length=32, verbose_name="actor id"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="actor_name",
                    field=models.CharField(
                        blank=True, help_text="As it was then.", max_length=255, verbose_name="actor name"
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="address",
                    field=models.CharField(blank=True, max_length=45, verbose_name="address"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="changes",
                    field=models.JSONField(
                        default=dict,
                        help_text="By field: short values as they were and are.",
                        verbose_name="changes",
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="created_at",
                    field=models.DateTimeField(verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="id",
                    field=models.BigAutoField(primary_key=True, serialize=False, verbose_name="id"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="object_id",
                    field=models.CharField(blank=True, max_length=64, verbose_name="object id"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="object_name",
                    field=models.CharField(
                        blank=True, help_text="As it was then.", max_length=255, verbose_name="object name"
                    ),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="object_type",
                    field=models.CharField(blank=True, max_length=64, verbose_name="object type"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="request_id",
                    field=models.CharField(blank=True, max_length=64, verbose_name="request id"),
                ),
                migrations.AlterField(
                    model_name="auditentry",
                    name="source",
                    field=models.CharField(
                        choices=[
                            ("api", "API"),
                            ("console", "Console"),
                            ("command", "Command"),
                            ("langfuse", "Langfuse's API"),
                            ("mcp", "MCP"),
                            ("worker", "Worker"),
                        ],
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                migrations.AlterField(
                    model_name="auditpruning",
                    name="before",
                    field=models.DateTimeField(verbose_name="before"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="backup",
                    field=models.CharField(
                        help_text="Name of its file.", max_length=200, verbose_name="backup"
                    ),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="backup_created_at",
                    field=models.DateTimeField(null=True, verbose_name="backup created at"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="ok",
                    field=models.BooleanField(verbose_name="passed"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="probes",
                    field=models.PositiveIntegerField(default=0, verbose_name="probes"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="problems",
                    field=models.JSONField(default=list, verbose_name="problems"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="rows",
                    field=models.PositiveBigIntegerField(default=0, verbose_name="rows"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="seconds",
                    field=models.FloatField(default=0.0, verbose_name="seconds"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="sha256",
                    field=models.CharField(max_length=64, verbose_name="SHA-256"),
                ),
                migrations.AlterField(
                    model_name="backupdrill",
                    name="tables",
                    field=models.PositiveIntegerField(default=0, verbose_name="tables"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="attempts",
                    field=models.PositiveSmallIntegerField(default=0, verbose_name="attempts"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="claimed_at",
                    field=models.DateTimeField(null=True, verbose_name="claimed at"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="delivered_at",
                    field=models.DateTimeField(null=True, verbose_name="delivered at"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="duration_ms",
                    field=models.FloatField(null=True, verbose_name="duration ms"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="error",
                    field=models.CharField(blank=True, max_length=300, verbose_name="error"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="event",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="ops.outboxevent",
                        verbose_name="event",
                    ),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="next_attempt_at",
                    field=models.DateTimeField(verbose_name="next attempt at"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="replay",
                    field=models.PositiveIntegerField(default=0, verbose_name="replay"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="response_excerpt",
                    field=models.CharField(blank=True, max_length=500, verbose_name="response excerpt"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="response_status",
                    field=models.PositiveSmallIntegerField(null=True, verbose_name="response status"),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="status",
                    field=models.CharField(
                        choices=[
                            ("pending", "waits"),
                            ("sending", "being sent"),
                            ("delivered", "delivered"),
                            ("failed", "given up"),
                        ],
                        default="pending",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="webhook",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="ops.webhook",
                        verbose_name="webhook",
                    ),
                ),
                migrations.AlterField(
                    model_name="figureminute",
                    name="at",
                    field=models.DateTimeField(verbose_name="at"),
                ),
                migrations.AlterField(
                    model_name="figureminute",
                    name="source",
                    field=models.CharField(max_length=128, verbose_name="source"),
                ),
                migrations.AlterField(
                    model_name="figureminute",
                    name="values",
                    field=models.JSONField(verbose_name="values"),
                ),
                migrations.AlterField(
                    model_name="healthrecord",
                    name="at",
                    field=models.DateTimeField(verbose_name="at"),
                ),
                migrations.AlterField(
                    model_name="healthrecord",
                    name="detail",
                    field=models.CharField(blank=True, max_length=200, verbose_name="detail"),
                ),
                migrations.AlterField(
                    model_name="healthrecord",
                    name="part",
                    field=models.CharField(max_length=32, verbose_name="part"),
                ),
                migrations.AlterField(
                    model_name="healthrecord",
                    name="status",
                    field=models.CharField(
                        choices=[
                            ("disabled", "disabled"),
                            ("ok", "ok"),
                            ("degraded", "degraded"),
                            ("down", "down"),
                        ],
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                migrations.AlterField(
                    model_name="healthrecord",
                    name="value",
                    field=models.FloatField(
                        help_text="The figure that its threshold is about.", null=True, verbose_name="value"
                    ),
                ),
                migrations.AlterField(
                    model_name="healthsign",
                    name="at",
                    field=models.FloatField(help_text="Unix seconds.", verbose_name="at"),
                ),
                migrations.AlterField(
                    model_name="healthsign",
                    name="count",
                    field=models.PositiveBigIntegerField(default=1, verbose_name="count"),
                ),
                migrations.AlterField(
                    model_name="healthsign",
                    name="detail",
                    field=models.CharField(blank=True, max_length=200, verbose_name="detail"),
                ),
                migrations.AlterField(
                    model_name="healthsign",
                    name="name",
                    field=models.CharField(
                        max_length=128, primary_key=True, serialize=False, verbose_name="name"
                    ),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="body",
                    field=models.BinaryField(default=bytes, verbose_name="body"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="claimed_at",
                    field=models.DateTimeField(verbose_name="claimed at"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="content_type",
                    field=models.CharField(blank=True, max_length=100, verbose_name="content type"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="created_at",
                    field=models.DateTimeField(db_index=True, verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="key",
                    field=models.CharField(max_length=255, verbose_name="key"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="owner",
                    field=models.CharField(
                        help_text="Primary key of the user who sent it.", max_length=64, verbose_name="owner"
                    ),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="request_hash",
                    field=models.CharField(max_length=64, verbose_name="request hash"),
                ),
                migrations.AlterField(
                    model_name="idempotencykey",
                    name="status",
                    field=models.PositiveSmallIntegerField(
                        help_text="Empty: it is being carried out.", null=True, verbose_name="status"
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="actor",
                    field=models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="actor",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="actor_name",
                    field=models.CharField(
                        blank=True, editable=False, max_length=255, verbose_name="actor name"
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="arguments",
                    field=models.JSONField(default=dict, editable=False, verbose_name="arguments"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="attempts",
                    field=models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="cancel_requested_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="cancel requested at"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="cause",
                    field=models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Why the last attempt failed.",
                        max_length=300,
                        verbose_name="cause",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="done",
                    field=models.PositiveBigIntegerField(default=0, editable=False, verbose_name="done"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="finished_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="finished at"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="holder",
                    field=models.CharField(blank=True, editable=False, max_length=128, verbose_name="holder"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="key",
                    field=models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Of those that are open there is one of a key.",
                        max_length=255,
                        verbose_name="key",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="kind",
                    field=models.CharField(editable=False, max_length=64, verbose_name="kind"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="lease_until",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="lease until"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="max_attempts",
                    field=models.PositiveIntegerField(default=1, editable=False, verbose_name="max attempts"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="message",
                    field=models.CharField(
                        blank=True, editable=False, max_length=200, verbose_name="message"
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="not_before",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="not before",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="queued_at",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="When a worker was told of it.",
                        null=True,
                        verbose_name="queued at",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="result",
                    field=models.JSONField(editable=False, null=True, verbose_name="result"),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="slot",
                    field=models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The schedule and moment that started it.",
                        max_length=255,
                        verbose_name="slot",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="started_at",
                    field=models.DateTimeField(
                        editable=False, help_text="The last attempt.", null=True, verbose_name="started at"
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="state",
                    field=models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                migrations.AlterField(
                    model_name="job",
                    name="total",
                    field=models.PositiveBigIntegerField(editable=False, null=True, verbose_name="total"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="actor_id",
                    field=models.CharField(blank=True, max_length=32, verbose_name="actor id"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="actor_name",
                    field=models.CharField(blank=True, max_length=255, verbose_name="actor name"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="data",
                    field=models.JSONField(default=dict, verbose_name="data"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="happened_at",
                    field=models.DateTimeField(verbose_name="happened at"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="kind",
                    field=models.CharField(max_length=64, verbose_name="kind"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="prompt_id",
                    field=models.CharField(
                        blank=True,
                        help_text="It may be gone by now.",
                        max_length=32,
                        verbose_name="prompt id",
                    ),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="prompt_name",
                    field=models.CharField(blank=True, max_length=255, verbose_name="prompt name"),
                ),
                migrations.AlterField(
                    model_name="outboxevent",
                    name="relayed_at",
                    field=models.DateTimeField(null=True, verbose_name="relayed at"),
                ),
                migrations.AlterField(
                    model_name="schedulerlease",
                    name="holder",
                    field=models.CharField(max_length=128, verbose_name="holder"),
                ),
                migrations.AlterField(
                    model_name="schedulerlease",
                    name="name",
                    field=models.CharField(
                        max_length=32, primary_key=True, serialize=False, verbose_name="name"
                    ),
                ),
                migrations.AlterField(
                    model_name="schedulerlease",
                    name="until",
                    field=models.DateTimeField(verbose_name="until"),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="caller",
                    field=models.CharField(
                        blank=True,
                        help_text="The line of AFN that asked.",
                        max_length=200,
                        verbose_name="caller",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="created_at",
                    field=models.DateTimeField(db_index=True, verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="database",
                    field=models.CharField(
                        help_text="Alias; environment:… is another environment.",
                        max_length=100,
                        verbose_name="database",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="error",
                    field=models.CharField(
                        blank=True,
                        help_text="Kind of error, where it failed.",
                        max_length=64,
                        verbose_name="error",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="fingerprint",
                    field=models.CharField(
                        help_text="The same for the same statement, whatever its values.",
                        max_length=16,
                        verbose_name="fingerprint",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="place",
                    field=models.CharField(
                        blank=True,
                        help_text="The request, task or command.",
                        max_length=200,
                        verbose_name="place",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="plan",
                    field=models.TextField(
                        blank=True,
                        help_text="EXPLAIN QUERY PLAN with NULL in place of values.",
                        verbose_name="plan",
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="request_id",
                    field=models.CharField(blank=True, max_length=64, verbose_name="request id"),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="rows",
                    field=models.BigIntegerField(
                        help_text="Read or changed, where that is known.", null=True, verbose_name="rows"
                    ),
                ),
                migrations.AlterField(
                    model_name="slowquery",
                    name="seconds",
                    field=models.FloatField(verbose_name="seconds"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="created_by",
                    field=models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="failing_since",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="failing since"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="folder",
                    field=models.CharField(
                        blank=True,
                        help_text="Only prompts in it or below it.",
                        max_length=255,
                        verbose_name="folder",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="format",
                    field=models.CharField(
                        choices=[("generic", "JSON, signed"), ("slack", "Slack"), ("discord", "Discord")],
                        default="generic",
                        help_text="JSON, signed: for programs. Slack, Discord: messages to read in a channel.",
                        max_length=16,
                        verbose_name="format",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="is_active",
                    field=models.BooleanField(
                        default=True, help_text="Switched off, it is told nothing.", verbose_name="is active"
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="kinds",
                    field=models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Kinds of events; none: all of them.",
                        verbose_name="kinds",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="label",
                    field=models.CharField(
                        blank=True,
                        help_text="Only what happens to this label.",
                        max_length=36,
                        verbose_name="label",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="name",
                    field=models.CharField(
                        help_text="Unique; for people, such as Deployments.",
                        max_length=100,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="old_secret_until",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="old secret until"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="paused_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="paused at"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="paused_reason",
                    field=models.CharField(
                        blank=True, editable=False, max_length=300, verbose_name="paused reason"
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="sealed_old_secret",
                    field=models.TextField(blank=True, editable=False, verbose_name="sealed old secret"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="sealed_secret",
                    field=models.TextField(editable=False, verbose_name="sealed secret"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="sealed_url",
                    field=models.TextField(editable=False, verbose_name="sealed url"),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="shown_url",
                    field=models.CharField(
                        editable=False,
                        help_text="What may be shown of the address.",
                        max_length=300,
                        verbose_name="shown url",
                    ),
                ),
                migrations.AlterField(
                    model_name="webhook",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
            ]
        )
    ]
