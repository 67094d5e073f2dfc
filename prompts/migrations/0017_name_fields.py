import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import prompts.models.base
import prompts.validators
from vectors.migrations._names import NameFields


class Migration(migrations.Migration):
    dependencies = [
        ("prompts", "0016_list_the_newest_versions_and_evaluations"),
        ("vectors", "0007_name_fields"),
    ]

    operations = [
        NameFields(
            state_operations=[
                migrations.AlterModelOptions(
                    name="apikey",
                    options={
                        "ordering": ["name"],
                        "permissions": [("manage_others_keys", "May manage API keys of others")],
                        "verbose_name": "API key",
                        "verbose_name_plural": "API keys",
                    },
                ),
                migrations.AlterModelOptions(
                    name="dataset",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "dataset",
                        "verbose_name_plural": "datasets",
                    },
                ),
                migrations.AlterModelOptions(
                    name="datasetitem",
                    options={
                        "ordering": ["key"],
                        "verbose_name": "dataset item",
                        "verbose_name_plural": "dataset items",
                    },
                ),
                migrations.AlterModelOptions(
                    name="evaluation",
                    options={
                        "ordering": ["-created_at"],
                        "verbose_name": "evaluation",
                        "verbose_name_plural": "evaluations",
                    },
                ),
                migrations.AlterModelOptions(
                    name="evaluationrun",
                    options={
                        "ordering": ["-created_at"],
                        "verbose_name": "evaluation run",
                        "verbose_name_plural": "evaluation runs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="labelmove",
                    options={
                        "default_permissions": ("view",),
                        "ordering": ["-id"],
                        "verbose_name": "label move",
                        "verbose_name_plural": "label moves",
                    },
                ),
                migrations.AlterModelOptions(
                    name="labelpolicy",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "label policy",
                        "verbose_name_plural": "label policies",
                    },
                ),
                migrations.AlterModelOptions(
                    name="labelsplit",
                    options={
                        "ordering": ["-created_at"],
                        "verbose_name": "label split",
                        "verbose_name_plural": "label splits",
                    },
                ),
                migrations.AlterModelOptions(
                    name="loginlock",
                    options={
                        "default_permissions": ("view", "delete"),
                        "ordering": ["-failed_at"],
                        "verbose_name": "locked login",
                        "verbose_name_plural": "locked logins",
                    },
                ),
                migrations.AlterModelOptions(
                    name="prompt",
                    options={
                        "ordering": ["-updated_at", "name"],
                        "permissions": [("change_others_prompts", "May change prompts of others")],
                        "verbose_name": "prompt",
                        "verbose_name_plural": "prompts",
                    },
                ),
                migrations.AlterModelOptions(
                    name="promptembedding",
                    options={"verbose_name": "prompt embedding", "verbose_name_plural": "prompt embeddings"},
                ),
                migrations.AlterModelOptions(
                    name="promptfields",
                    options={
                        "ordering": ["-number"],
                        "verbose_name": "prompt fields",
                        "verbose_name_plural": "prompt fields",
                    },
                ),
                migrations.AlterModelOptions(
                    name="promptlabel",
                    options={
                        "ordering": ["name"],
                        "permissions": [("move_protected_label", "Can move protected labels")],
                        "verbose_name": "prompt label",
                        "verbose_name_plural": "prompt labels",
                    },
                ),
                migrations.AlterModelOptions(
                    name="promptversion",
                    options={
                        "ordering": ["-version"],
                        "verbose_name": "prompt version",
                        "verbose_name_plural": "prompt versions",
                    },
                ),
                migrations.AlterModelOptions(
                    name="registryepoch",
                    options={
                        "default_permissions": (),
                        "verbose_name": "registry epoch",
                        "verbose_name_plural": "registry epochs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="runoutput",
                    options={
                        "ordering": ["item"],
                        "verbose_name": "run output",
                        "verbose_name_plural": "run outputs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="splitsubject",
                    options={
                        "default_permissions": ("add", "view"),
                        "verbose_name": "split subject",
                        "verbose_name_plural": "split subjects",
                    },
                ),
                migrations.AlterModelOptions(
                    name="tracescore",
                    options={
                        "ordering": ["-timestamp", "-id"],
                        "verbose_name": "trace score",
                        "verbose_name_plural": "trace scores",
                    },
                ),
                migrations.AlterModelOptions(
                    name="user",
                    options={
                        "ordering": ["username"],
                        "verbose_name": "user",
                        "verbose_name_plural": "users",
                    },
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="expires_at",
                    field=models.DateTimeField(
                        blank=True,
                        help_text="From then on it is refused. Left empty: it works until it is revoked.",
                        null=True,
                        verbose_name="expires at",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
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
                    model_name="apikey",
                    name="last_used_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="last used at"),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="name",
                    field=models.CharField(
                        help_text="Who uses it, to know what stops when it is revoked.",
                        max_length=255,
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="previous_hash",
                    field=models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Of the secret before the last rotation.",
                        max_length=64,
                        null=True,
                        unique=True,
                        verbose_name="previous hash",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="previous_until",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="Until when that secret works as well.",
                        null=True,
                        verbose_name="previous until",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="public_key",
                    field=models.CharField(
                        editable=False, max_length=64, unique=True, verbose_name="public key"
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="revoked_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="revoked at"),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="scopes",
                    field=models.JSONField(
                        default=list,
                        help_text="Read: get and search prompts. Write: change them too.",
                        verbose_name="scopes",
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="secret_hash",
                    field=models.CharField(
                        editable=False, max_length=64, unique=True, verbose_name="secret hash"
                    ),
                ),
                migrations.AlterField(
                    model_name="apikey",
                    name="user",
                    field=models.ForeignKey(
                        help_text="The key acts for this user and stops working when the account is closed.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="dataset",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="dataset",
                    name="description",
                    field=models.TextField(
                        blank=True,
                        db_default="",
                        help_text="What its items are, and where they come from.",
                        verbose_name="description",
                    ),
                ),
                migrations.AlterField(
                    model_name="dataset",
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
                    model_name="dataset",
                    name="name",
                    field=models.CharField(
                        help_text="Unique, such as support-questions.",
                        max_length=128,
                        unique=True,
                        validators=[prompts.validators.validate_dataset_name],
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="dataset",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="dataset",
                    name="user",
                    field=models.ForeignKey(
                        help_text="Who made it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="dataset",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="prompts.dataset",
                        verbose_name="dataset",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="expected",
                    field=models.JSONField(
                        blank=True,
                        help_text="What is expected to come out, as JSON. Empty: nothing certain.",
                        null=True,
                        validators=[prompts.validators.validate_expected],
                        verbose_name="expected",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
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
                    model_name="datasetitem",
                    name="key",
                    field=models.CharField(
                        help_text="Names the item in evaluations; unique within its dataset.",
                        max_length=255,
                        validators=[prompts.validators.validate_item_key],
                        verbose_name="key",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="metadata",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="A JSON object of your own.",
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="metadata",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="placeholders",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="Messages for the placeholders of a chat, as a JSON object.",
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="placeholders",
                    ),
                ),
                migrations.AlterField(
                    model_name="datasetitem",
                    name="variables",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="What is filled in for the prompt's variables, as a JSON object.",
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="variables",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
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
                    model_name="evaluation",
                    name="item",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        help_text="On what: evaluations of several versions on the same item are compared as pairs.",
                        max_length=255,
                        validators=[prompts.validators.validate_item],
                        verbose_name="item",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="metrics",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text='The figures behind the score, as a JSON object, such as {"words": 120}.',
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="metrics",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="name",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        help_text="What was judged, such as accuracy. Left empty: the main score.",
                        max_length=64,
                        validators=[prompts.validators.validate_score_name],
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="prompt",
                    field=models.ForeignKey(
                        help_text="The prompt that was judged.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="run",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="prompts.evaluationrun",
                        verbose_name="run",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="score",
                    field=models.FloatField(
                        help_text="From 0 (worst) to 1 (best).",
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(1.0),
                        ],
                        verbose_name="score",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluation",
                    name="version",
                    field=models.ForeignKey(
                        blank=True,
                        help_text="The version that was judged. Left empty: the prompt's current version.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="prompts.promptversion",
                        verbose_name="version",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="budget",
                    field=models.FloatField(
                        blank=True,
                        help_text="In US dollars; the run stops before it.",
                        null=True,
                        verbose_name="budget",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="claimed_until",
                    field=models.DateTimeField(
                        blank=True,
                        help_text="Until when a worker is on it.",
                        null=True,
                        verbose_name="claimed until",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="cost",
                    field=models.FloatField(
                        db_default=0.0,
                        default=0.0,
                        help_text="In US dollars, of model and judge.",
                        verbose_name="cost",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="dataset",
                    field=models.ForeignKey(
                        help_text="Its items are what the version is tried on.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="prompts.dataset",
                        verbose_name="dataset",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="finished_at",
                    field=models.DateTimeField(
                        blank=True, help_text="When it was over.", null=True, verbose_name="finished at"
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
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
                    model_name="evaluationrun",
                    name="metrics",
                    field=models.JSONField(
                        help_text="What judges the outputs, as prompts.evaluating.metrics reads it.",
                        verbose_name="metrics",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="model",
                    field=models.CharField(
                        blank=True,
                        help_text="Empty: outputs are sent in.",
                        max_length=255,
                        verbose_name="model",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="name",
                    field=models.CharField(
                        blank=True,
                        help_text="To find the run again, such as shorter answers.",
                        max_length=255,
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="parameters",
                    field=models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Of the model, such as temperature.",
                        verbose_name="parameters",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="problem",
                    field=models.TextField(
                        blank=True, help_text="Why it failed, or items did.", verbose_name="problem"
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="prompt",
                    field=models.ForeignKey(
                        help_text="The prompt that is tried.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="status",
                    field=models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="queued",
                        default="queued",
                        help_text="How far it is.",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="total",
                    field=models.PositiveIntegerField(
                        default=0, help_text="Items of the dataset when it began.", verbose_name="total"
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="user",
                    field=models.ForeignKey(
                        help_text="Who began it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="version",
                    field=models.ForeignKey(
                        help_text="The version that is tried.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="prompts.promptversion",
                        verbose_name="version",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="actor",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="actor",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="actor_name",
                    field=models.CharField(
                        blank=True, help_text="As it was then.", max_length=255, verbose_name="actor name"
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="created_at",
                    field=models.DateTimeField(verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="evidence",
                    field=models.JSONField(
                        help_text="The figures that the move was allowed on.",
                        null=True,
                        verbose_name="evidence",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="from_version",
                    field=models.PositiveIntegerField(
                        help_text="Empty: it was not there.", null=True, verbose_name="from version"
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="id",
                    field=models.BigAutoField(primary_key=True, serialize=False, verbose_name="id"),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="label",
                    field=models.CharField(max_length=36, verbose_name="label"),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="label_moves",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="reason",
                    field=models.TextField(blank=True, verbose_name="reason"),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="to_version",
                    field=models.PositiveIntegerField(
                        help_text="Empty: it was taken off.", null=True, verbose_name="to version"
                    ),
                ),
                migrations.AlterField(
                    model_name="labelmove",
                    name="undoes",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="undone_by",
                        to="prompts.labelmove",
                        verbose_name="undoes",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="confidence",
                    field=models.FloatField(
                        db_default=0.95,
                        default=0.95,
                        help_text="Of the paired test: 0.95 lets one in twenty pass that is no better.",
                        validators=[
                            django.core.validators.MinValueValidator(0.5),
                            django.core.validators.MaxValueValidator(0.9999),
                        ],
                        verbose_name="confidence",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="evidence",
                    field=models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("threshold", "A mean score of at least the threshold"),
                            ("better", "Better than the version it serves, by a paired test"),
                            ("not_worse", "Not worse than the version it serves by more than the margin"),
                        ],
                        db_default="none",
                        default="none",
                        help_text="What a version has to show before the label moves to it.",
                        max_length=16,
                        verbose_name="evidence",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
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
                    model_name="labelpolicy",
                    name="is_protected",
                    field=models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Only who may move protected labels moves it.",
                        verbose_name="is protected",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="margin",
                    field=models.FloatField(
                        db_default=0.0,
                        default=0.0,
                        help_text="How much worse is still not worse, as a difference of mean scores.",
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(1.0),
                        ],
                        verbose_name="margin",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="minimum_items",
                    field=models.PositiveIntegerField(
                        db_default=30,
                        default=30,
                        help_text="Evaluated items; of a paired test those that both versions were evaluated on.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="minimum items",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="name",
                    field=models.CharField(
                        help_text="The label, such as production. The policy holds for it in all prompts.",
                        max_length=36,
                        unique=True,
                        validators=[prompts.validators.validate_label],
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="score_name",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        help_text="Which score counts. Left empty: the main one.",
                        max_length=64,
                        verbose_name="score name",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="threshold",
                    field=models.FloatField(
                        blank=True,
                        help_text="The least mean score, from 0 to 1.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(1.0),
                        ],
                        verbose_name="threshold",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelpolicy",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="alpha",
                    field=models.FloatField(
                        default=0.05,
                        validators=[
                            django.core.validators.MinValueValidator(0.0001),
                            django.core.validators.MaxValueValidator(0.5),
                        ],
                        verbose_name="alpha",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="arms",
                    field=models.JSONField(
                        help_text='[{"version": 1, "weight": 50}, …]; the first is the control.',
                        verbose_name="arms",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="ended_at",
                    field=models.DateTimeField(null=True, verbose_name="ended at"),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
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
                    model_name="labelsplit",
                    name="label",
                    field=models.CharField(
                        max_length=36, validators=[prompts.validators.validate_label], verbose_name="label"
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="splits",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="reason",
                    field=models.TextField(blank=True, verbose_name="reason"),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="salt",
                    field=models.CharField(max_length=32, verbose_name="salt"),
                ),
                migrations.AlterField(
                    model_name="labelsplit",
                    name="user",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="address",
                    field=models.CharField(max_length=64, verbose_name="address"),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="failed_at",
                    field=models.DateTimeField(verbose_name="failed at"),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="failures",
                    field=models.PositiveIntegerField(default=0, verbose_name="failures"),
                ),
                migrations.AlterField(
                    model_name="loginlock",
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
                    model_name="loginlock",
                    name="locked_until",
                    field=models.DateTimeField(null=True, verbose_name="locked until"),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="user",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="login_locks",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="loginlock",
                    name="who",
                    field=models.CharField(editable=False, max_length=64, verbose_name="who"),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="config",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="What the application wants to keep with it, such as model and temperature.",
                        validators=[prompts.validators.validate_config],
                        verbose_name="config",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="content",
                    field=models.TextField(
                        help_text="The prompt itself. New content makes a new version.",
                        validators=[prompts.validators.validate_content],
                        verbose_name="content",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="deleted_at",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="Since when it is in the trash.",
                        null=True,
                        verbose_name="deleted at",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
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
                    model_name="prompt",
                    name="language",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        help_text="Language code of the content, such as en or ja.",
                        max_length=16,
                        validators=[prompts.validators.validate_language],
                        verbose_name="language",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="metadata",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="A JSON object that searches can filter by. It makes no new version.",
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="metadata",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="name",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        help_text="Unique; slashes make folders: writing/resume-rewriter.",
                        max_length=255,
                        validators=[prompts.validators.validate_name],
                        verbose_name="name",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="purged_version",
                    field=models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        editable=False,
                        help_text="The highest number of a version that was purged.",
                        verbose_name="purged version",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="source",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        editable=False,
                        help_text="The file it was imported from.",
                        max_length=255,
                        verbose_name="source",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="status",
                    field=models.CharField(
                        choices=[("draft", "Draft"), ("active", "Active"), ("archived", "Archived")],
                        db_default="draft",
                        default="draft",
                        help_text="Draft: being written. Active: in use. Archived: kept, but no longer meant to be used.",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="tags",
                    field=models.JSONField(
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="Words to filter by, such as career and writing.",
                        validators=[prompts.validators.validate_tags],
                        verbose_name="tags",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="template_format",
                    field=models.CharField(
                        choices=[("simple", "{{name}}"), ("jinja2", "Jinja")],
                        db_default="simple",
                        default="simple",
                        help_text="{{name}} for plain variables; Jinja for conditions and loops, in a sandbox.",
                        max_length=16,
                        verbose_name="template format",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="title",
                    field=models.CharField(
                        help_text="For people: shown in lists and search results, such as Rewrite a resume.",
                        max_length=255,
                        validators=[prompts.validators.validate_title],
                        verbose_name="title",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="type",
                    field=models.CharField(
                        choices=[("text", "Text"), ("chat", "Chat")],
                        db_default="text",
                        default="text",
                        help_text="Chosen once: all versions of a prompt are texts, or all are chats.",
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="user",
                    field=models.ForeignKey(
                        help_text="The author; deleting the user deletes the prompts.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prompts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="variables",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text='What is to be known of variables: {"tone": {"type": "enum", "values": ["kind", "firm"]}}.',
                        validators=[prompts.validators.validate_variables],
                        verbose_name="variables",
                    ),
                ),
                migrations.AlterField(
                    model_name="prompt",
                    name="version",
                    field=models.PositiveIntegerField(
                        db_default=1, default=1, editable=False, verbose_name="version"
                    ),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
                    name="collection",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="vectors.collection",
                        verbose_name="collection",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
                    name="content_hash",
                    field=models.CharField(max_length=64, verbose_name="content hash"),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
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
                    model_name="promptembedding",
                    name="model",
                    field=models.CharField(max_length=255, verbose_name="model"),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptembedding",
                    name="version",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="prompts.promptversion",
                        verbose_name="version",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptfields",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptfields",
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
                    model_name="promptfields",
                    name="number",
                    field=models.PositiveIntegerField(verbose_name="number"),
                ),
                migrations.AlterField(
                    model_name="promptfields",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="past_fields",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptfields",
                    name="values",
                    field=models.JSONField(verbose_name="values"),
                ),
                migrations.AlterField(
                    model_name="promptfields",
                    name="values_hash",
                    field=models.CharField(max_length=64, verbose_name="values hash"),
                ),
                migrations.AlterField(
                    model_name="promptlabel",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptlabel",
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
                    model_name="promptlabel",
                    name="moved_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="moved at"
                    ),
                ),
                migrations.AlterField(
                    model_name="promptlabel",
                    name="name",
                    field=models.CharField(
                        max_length=36, validators=[prompts.validators.validate_label], verbose_name="name"
                    ),
                ),
                migrations.AlterField(
                    model_name="promptlabel",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptlabel",
                    name="version",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="prompts.promptversion",
                        verbose_name="version",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="author",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="config",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="What the application wants to keep with it, such as model and temperature.",
                        validators=[prompts.validators.validate_config],
                        verbose_name="config",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="content",
                    field=models.TextField(verbose_name="content"),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="content_hash",
                    field=models.CharField(db_index=True, max_length=64, verbose_name="content hash"),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="deleted_at",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="Since when it is in the trash.",
                        null=True,
                        verbose_name="deleted at",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
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
                    model_name="promptversion",
                    name="message",
                    field=models.TextField(
                        blank=True, db_default="", help_text="What changed, and why.", verbose_name="message"
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="parent",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="prompts.promptversion",
                        verbose_name="parent",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="prompt",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="prompts.prompt",
                        verbose_name="prompt",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="template_format",
                    field=models.CharField(
                        choices=[("simple", "{{name}}"), ("jinja2", "Jinja")],
                        db_default="simple",
                        default="simple",
                        help_text="{{name}} for plain variables; Jinja for conditions and loops, in a sandbox.",
                        max_length=16,
                        verbose_name="template format",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="variables",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text='What is to be known of variables: {"tone": {"type": "enum", "values": ["kind", "firm"]}}.',
                        validators=[prompts.validators.validate_variables],
                        verbose_name="variables",
                    ),
                ),
                migrations.AlterField(
                    model_name="promptversion",
                    name="version",
                    field=models.PositiveIntegerField(verbose_name="version"),
                ),
                migrations.AlterField(
                    model_name="registryepoch",
                    name="generation",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(), max_length=32, verbose_name="generation"
                    ),
                ),
                migrations.AlterField(
                    model_name="registryepoch",
                    name="id",
                    field=models.PositiveSmallIntegerField(
                        default=1, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                migrations.AlterField(
                    model_name="registryepoch",
                    name="number",
                    field=models.BigIntegerField(db_default=0, verbose_name="number"),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="cost",
                    field=models.FloatField(
                        help_text="In US dollars; empty: not known.", null=True, verbose_name="cost"
                    ),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="runoutput",
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
                    model_name="runoutput",
                    name="item",
                    field=models.CharField(max_length=255, verbose_name="item"),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="latency_ms",
                    field=models.FloatField(null=True, verbose_name="latency ms"),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="output",
                    field=models.TextField(blank=True, verbose_name="output"),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="problem",
                    field=models.TextField(
                        blank=True, help_text="Why there is no output.", verbose_name="problem"
                    ),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="run",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outputs",
                        to="prompts.evaluationrun",
                        verbose_name="run",
                    ),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="tokens_in",
                    field=models.PositiveIntegerField(null=True, verbose_name="tokens in"),
                ),
                migrations.AlterField(
                    model_name="runoutput",
                    name="tokens_out",
                    field=models.PositiveIntegerField(null=True, verbose_name="tokens out"),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="arm",
                    field=models.PositiveSmallIntegerField(verbose_name="arm"),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="exposed_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="exposed at"
                    ),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="outcome",
                    field=models.FloatField(
                        help_text="0 to 1.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(1.0),
                        ],
                        verbose_name="outcome",
                    ),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="outcome_at",
                    field=models.DateTimeField(null=True, verbose_name="outcome at"),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="split",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subjects",
                        to="prompts.labelsplit",
                        verbose_name="split",
                    ),
                ),
                migrations.AlterField(
                    model_name="splitsubject",
                    name="subject",
                    field=models.CharField(max_length=64, verbose_name="subject"),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="comment",
                    field=models.TextField(blank=True, db_default="", verbose_name="comment"),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="config_id",
                    field=models.CharField(
                        blank=True, db_default="", max_length=255, verbose_name="config id"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="data_type",
                    field=models.CharField(
                        choices=[
                            ("NUMERIC", "Numeric"),
                            ("CATEGORICAL", "Categorical"),
                            ("BOOLEAN", "Boolean"),
                            ("TEXT", "Text"),
                            ("CORRECTION", "Correction"),
                        ],
                        max_length=16,
                        verbose_name="data type",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="dataset_run_id",
                    field=models.CharField(
                        blank=True, db_default="", max_length=255, verbose_name="dataset run id"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="environment",
                    field=models.CharField(
                        db_default="default", default="default", max_length=64, verbose_name="environment"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="id",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        editable=False,
                        max_length=255,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="metadata",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="metadata",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="name",
                    field=models.CharField(max_length=255, verbose_name="name"),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="observation_id",
                    field=models.CharField(
                        blank=True, db_default="", max_length=255, verbose_name="observation id"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="session_id",
                    field=models.CharField(
                        blank=True, db_default="", max_length=255, verbose_name="session id"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="string_value",
                    field=models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Of a category or a text.",
                        verbose_name="string value",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="timestamp",
                    field=models.DateTimeField(verbose_name="timestamp"),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="trace_id",
                    field=models.CharField(
                        blank=True, db_default="", max_length=255, verbose_name="trace id"
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="user",
                    field=models.ForeignKey(
                        help_text="Who sent it.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trace_scores",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(
                    model_name="tracescore",
                    name="value",
                    field=models.FloatField(
                        blank=True,
                        help_text="Of a number, and 0 or 1 of a boolean.",
                        null=True,
                        verbose_name="value",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="clerk_id",
                    field=models.CharField(
                        blank=True,
                        help_text="The account's id at Clerk, such as user_2x…, for logins from there. Empty: none.",
                        max_length=255,
                        null=True,
                        unique=True,
                        verbose_name="Clerk ID",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="created_at",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="date_joined",
                    field=models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="date joined",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="email",
                    field=models.EmailField(
                        help_text="Also works for logging in.",
                        max_length=254,
                        unique=True,
                        verbose_name="email",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
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
                    model_name="user",
                    name="is_active",
                    field=models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Take this off instead of deleting an account.",
                        verbose_name="is active",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="is_staff",
                    field=models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="May open the console.",
                        verbose_name="is staff",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="is_superuser",
                    field=models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="May do everything, without being given each permission. For operators only.",
                        verbose_name="is superuser",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="last_login",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="metadata",
                    field=models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="A JSON object of your own, such as a team or a cost centre. AFN does not read it.",
                        validators=[prompts.validators.validate_metadata],
                        verbose_name="metadata",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="password",
                    field=models.CharField(db_default="!", max_length=128, verbose_name="password"),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="updated_at",
                    field=models.DateTimeField(
                        auto_now=True,
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="updated at",
                    ),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="username",
                    field=models.CharField(
                        db_default=prompts.models.base.RandomHex(),
                        default=prompts.models.base.new_id,
                        help_text="Letters, digits and @ . + - _ only, 150 characters at most.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
            ]
        )
    ]
