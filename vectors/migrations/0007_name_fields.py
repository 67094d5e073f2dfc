import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import vectors.models
from vectors.migrations._names import NameFields


class Migration(migrations.Migration):
    dependencies = [
        ("vectors", "0006_keep_tunings"),
    ]

    operations = [
        NameFields(
            state_operations=[
                migrations.AlterModelOptions(
                    name="collection",
                    options={
                        "ordering": ("name",),
                        "verbose_name": "collection",
                        "verbose_name_plural": "collections",
                    },
                ),
                migrations.AlterModelOptions(
                    name="embeddingmigration",
                    options={
                        "verbose_name": "embedding migration",
                        "verbose_name_plural": "embedding migrations",
                    },
                ),
                migrations.AlterModelOptions(
                    name="evaluationrun",
                    options={
                        "ordering": ("-pk",),
                        "verbose_name": "evaluation run",
                        "verbose_name_plural": "evaluation runs",
                    },
                ),
                migrations.AlterModelOptions(
                    name="index",
                    options={"verbose_name": "index", "verbose_name_plural": "indexes"},
                ),
                migrations.AlterModelOptions(
                    name="judgement",
                    options={
                        "ordering": ("-pk",),
                        "verbose_name": "judgement",
                        "verbose_name_plural": "judgements",
                    },
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="created_at",
                    field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="dimensions",
                    field=models.PositiveIntegerField(verbose_name="dimensions"),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="embedder",
                    field=models.CharField(
                        blank=True,
                        help_text="Empty: the caller brings the embeddings.",
                        max_length=64,
                        verbose_name="embedder",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="generation",
                    field=models.CharField(
                        default=vectors.models.new_generation,
                        editable=False,
                        help_text="Changes when the rows are replaced as a whole: caches of another generation are not used.",
                        max_length=32,
                        verbose_name="generation",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="keyword_weight",
                    field=models.FloatField(
                        blank=True,
                        help_text="Share of the keyword score in hybrid search, 0–1. Empty: automatic.",
                        null=True,
                        verbose_name="keyword weight",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="keyword_weight_cjk",
                    field=models.FloatField(
                        blank=True,
                        help_text="The same for queries in Japanese, Chinese or Korean. Empty: as for all others.",
                        null=True,
                        verbose_name="keyword weight cjk",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="metadata_schema",
                    field=models.JSONField(
                        blank=True,
                        default=dict,
                        editable=False,
                        help_text="Types of metadata, see `vectors.metadata_schema`.",
                        verbose_name="metadata schema",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="metric",
                    field=models.CharField(
                        choices=[("cosine", "Cosine"), ("l2", "Euclidean (L2)")],
                        default="cosine",
                        max_length=8,
                        verbose_name="metric",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="model",
                    field=models.CharField(blank=True, max_length=200, verbose_name="model"),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="name",
                    field=models.CharField(max_length=128, unique=True, verbose_name="name"),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="schema_version",
                    field=models.PositiveSmallIntegerField(
                        default=2, editable=False, verbose_name="schema version"
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="strategy",
                    field=models.CharField(
                        choices=[
                            ("auto", "Automatic"),
                            ("exact", "Exact"),
                            ("quantised", "Quantised"),
                            ("ivf", "Inverted lists"),
                            ("diskann", "DiskANN"),
                        ],
                        default="auto",
                        max_length=16,
                        verbose_name="strategy",
                    ),
                ),
                migrations.AlterField(
                    model_name="collection",
                    name="updated_at",
                    field=models.DateTimeField(auto_now=True, verbose_name="updated at"),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="estimate",
                    field=models.JSONField(default=dict, editable=False, verbose_name="estimate"),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="filler",
                    field=models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The process that fills the spare space.",
                        max_length=300,
                        verbose_name="filler",
                    ),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="filler_at",
                    field=models.DateTimeField(
                        editable=False,
                        help_text="When it last gave a sign.",
                        null=True,
                        verbose_name="filler at",
                    ),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="is_switched",
                    field=models.BooleanField(default=False, verbose_name="is switched"),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="live",
                    field=models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="migration",
                        to="vectors.collection",
                        verbose_name="live",
                    ),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="spare",
                    field=models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="migrated_from",
                        to="vectors.collection",
                        verbose_name="spare",
                    ),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="started_at",
                    field=models.DateTimeField(auto_now_add=True, verbose_name="started at"),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="switched_at",
                    field=models.DateTimeField(editable=False, null=True, verbose_name="switched at"),
                ),
                migrations.AlterField(
                    model_name="embeddingmigration",
                    name="verdict",
                    field=models.JSONField(
                        default=dict,
                        editable=False,
                        help_text="Empty: there is none yet.",
                        verbose_name="verdict",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="collection",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluation_runs",
                        to="vectors.collection",
                        verbose_name="collection",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="created_at",
                    field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="index",
                    field=models.JSONField(
                        default=dict,
                        help_text="Embedder, dimensions, rows, strategies used.",
                        verbose_name="index",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="metrics",
                    field=models.JSONField(default=dict, verbose_name="metrics"),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="mode",
                    field=models.CharField(max_length=8, verbose_name="mode"),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="scores",
                    field=models.JSONField(default=dict, editable=False, verbose_name="scores"),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="settings",
                    field=models.JSONField(
                        default=dict,
                        help_text="Fusion, keyword weights, strategy, k.",
                        verbose_name="settings",
                    ),
                ),
                migrations.AlterField(
                    model_name="evaluationrun",
                    name="source",
                    field=models.CharField(
                        choices=[("judgements", "Judgements"), ("known-items", "Known items")],
                        help_text="Where the queries came from.",
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="building",
                    field=models.PositiveIntegerField(
                        default=0, help_text="The version of a build that goes on.", verbose_name="building"
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="building_at",
                    field=models.DateTimeField(
                        blank=True,
                        help_text="When that build last gave a sign.",
                        null=True,
                        verbose_name="building at",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="built_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="built at"),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="collection",
                    field=models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="vectors.collection",
                        verbose_name="collection",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="deleted",
                    field=models.PositiveBigIntegerField(
                        default=0, help_text="Items deleted since, by a trigger.", verbose_name="deleted"
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="is_diskann",
                    field=models.BooleanField(
                        default=False,
                        help_text="Is there a built-in vector index?",
                        verbose_name="is diskann",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="last_id",
                    field=models.PositiveBigIntegerField(default=0, verbose_name="last id"),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="lists",
                    field=models.PositiveIntegerField(
                        default=0, help_text="How many inverted lists there are.", verbose_name="lists"
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="lists_last_id",
                    field=models.PositiveBigIntegerField(default=0, verbose_name="lists last id"),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="lists_rows",
                    field=models.PositiveBigIntegerField(
                        default=0, help_text="Rows that the lists were made of.", verbose_name="lists rows"
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="middle",
                    field=models.BinaryField(default=bytes, verbose_name="middle"),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="rows",
                    field=models.PositiveBigIntegerField(
                        default=0, help_text="Codes in the blocks, of deleted rows too.", verbose_name="rows"
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="settings",
                    field=models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Probes and candidates, as measured.",
                        verbose_name="settings",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="tuning",
                    field=models.JSONField(
                        blank=True,
                        help_text="What the last tuning measured, and when.",
                        null=True,
                        verbose_name="tuning",
                    ),
                ),
                migrations.AlterField(
                    model_name="index",
                    name="version",
                    field=models.PositiveIntegerField(default=0, verbose_name="version"),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="collection",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="judgements",
                        to="vectors.collection",
                        verbose_name="collection",
                    ),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="created_at",
                    field=models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When this grade was given.",
                        verbose_name="created at",
                    ),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="created_by",
                    field=models.CharField(
                        blank=True,
                        help_text="Who judged, where that is known.",
                        max_length=254,
                        verbose_name="created by",
                    ),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="grade",
                    field=models.PositiveSmallIntegerField(
                        help_text="0 is not relevant.", verbose_name="grade"
                    ),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="key",
                    field=models.CharField(max_length=512, verbose_name="key"),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="language",
                    field=models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("en", "English and others"),
                            ("ja", "Japanese, Chinese, Korean"),
                        ],
                        default="",
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="query",
                    field=models.TextField(verbose_name="query"),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="query_hash",
                    field=models.CharField(editable=False, max_length=64, verbose_name="query hash"),
                ),
                migrations.AlterField(
                    model_name="judgement",
                    name="source",
                    field=models.CharField(
                        choices=[("import", "Import"), ("click", "Click"), ("api", "API")],
                        max_length=8,
                        verbose_name="source",
                    ),
                ),
            ]
        )
    ]
