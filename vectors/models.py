"""A collection of items with the settings its vectors were made with, and the state of its index."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import connections, models, router, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from vectors.limits import MAX_DIMENSIONS, MAX_NAME
from vectors.metadata_schema import MetadataSchema
from vectors.sql import Tables

SCHEMA_VERSION = 2


def new_generation() -> str:
    """A random stamp, 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Metric(models.TextChoices):
    COSINE = "cosine", _("Cosine")
    L2 = "l2", _("Euclidean (L2)")


class StrategyName(models.TextChoices):
    AUTO = "auto", _("Automatic")
    EXACT = "exact", _("Exact")
    QUANTISED = "quantised", _("Quantised")
    IVF = "ivf", _("Inverted lists")
    DISKANN = "diskann", "DiskANN"


class Collection(models.Model):
    """A named set of items with one embedding each, and where these embeddings come from.

    Its rows live in tables of their own (see `vectors.sql`), which `save` creates and a deletion drops, in
    the same transaction as the row. `bulk_create` would bypass that: use `store.create_collection`.
    """

    name = models.CharField(_("name"), max_length=MAX_NAME, unique=True)
    embedder = models.CharField(
        _("embedder"), max_length=64, blank=True, help_text=_("Empty: the caller brings the embeddings.")
    )
    model = models.CharField(_("model"), max_length=200, blank=True)
    dimensions = models.PositiveIntegerField(_("dimensions"))
    metric = models.CharField(_("metric"), max_length=8, choices=Metric, default=Metric.COSINE)
    strategy = models.CharField(_("strategy"), max_length=16, choices=StrategyName, default=StrategyName.AUTO)
    keyword_weight = models.FloatField(
        _("keyword weight"),
        null=True,
        blank=True,
        help_text=_("Share of the keyword score in hybrid search, 0–1. Empty: automatic."),
    )
    keyword_weight_cjk = models.FloatField(
        _("keyword weight cjk"),
        null=True,
        blank=True,
        help_text=_("The same for queries in Japanese, Chinese or Korean. Empty: as for all others."),
    )
    metadata_schema = models.JSONField(
        _("metadata schema"),
        default=dict,
        blank=True,
        editable=False,
        help_text=_("Types of metadata, see `vectors.metadata_schema`."),
    )
    schema_version = models.PositiveSmallIntegerField(
        _("schema version"), default=SCHEMA_VERSION, editable=False
    )
    generation = models.CharField(
        _("generation"),
        max_length=32,
        default=new_generation,
        editable=False,
        help_text=_(
            "Changes when the rows are replaced as a whole: caches of another generation are not used."
        ),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[models.Manager[Collection]] = models.Manager()

    class Meta:
        db_table = "vector_collections"
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                name="vector_collections_dimensions",
                condition=models.Q(dimensions__gte=1, dimensions__lte=MAX_DIMENSIONS),
            ),
            models.CheckConstraint(
                name="vector_collections_metric", condition=models.Q(metric__in=Metric.values)
            ),
            models.CheckConstraint(
                name="vector_collections_strategy", condition=models.Q(strategy__in=StrategyName.values)
            ),
            models.CheckConstraint(
                name="vector_collections_keyword_weight",
                condition=models.Q(keyword_weight__isnull=True)
                | models.Q(keyword_weight__gte=0, keyword_weight__lte=1),
            ),
            models.CheckConstraint(
                name="vector_collections_keyword_weight_cjk",
                condition=models.Q(keyword_weight_cjk__isnull=True)
                | models.Q(keyword_weight_cjk__gte=0, keyword_weight_cjk__lte=1),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, **options: Any) -> None:
        """Insert or update; an insert creates the collection's tables in the same transaction."""
        with transaction.atomic(using=options.get("using") or router.db_for_write(Collection, instance=self)):
            super().save(**options)


class Index(models.Model):
    """What the blocks of a collection's index hold (see `vectors.index`); no row where there is none yet.

    Each build is a version of its own, a random number. All rows up to `last_id` have codes in the blocks of
    `version`, around `middle`; those up to `lists_last_id` (0: there are no lists) are in its inverted lists.
    """

    collection = models.OneToOneField(
        Collection,
        verbose_name=_("collection"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="index",
    )
    version = models.PositiveIntegerField(_("version"), default=0)
    last_id = models.PositiveBigIntegerField(_("last id"), default=0)
    rows = models.PositiveBigIntegerField(
        _("rows"), default=0, help_text=_("Codes in the blocks, of deleted rows too.")
    )
    deleted = models.PositiveBigIntegerField(
        _("deleted"), default=0, help_text=_("Items deleted since, by a trigger.")
    )
    middle = models.BinaryField(_("middle"), default=bytes)
    lists = models.PositiveIntegerField(
        _("lists"), default=0, help_text=_("How many inverted lists there are.")
    )
    lists_last_id = models.PositiveBigIntegerField(_("lists last id"), default=0)
    lists_rows = models.PositiveBigIntegerField(
        _("lists rows"), default=0, help_text=_("Rows that the lists were made of.")
    )
    settings = models.JSONField(
        _("settings"), default=dict, blank=True, help_text=_("Probes and candidates, as measured.")
    )
    tuning = models.JSONField(
        _("tuning"), null=True, blank=True, help_text=_("What the last tuning measured, and when.")
    )
    is_diskann = models.BooleanField(
        _("is diskann"), default=False, help_text=_("Is there a built-in vector index?")
    )
    building = models.PositiveIntegerField(
        _("building"), default=0, help_text=_("The version of a build that goes on.")
    )
    building_at = models.DateTimeField(
        _("building at"), null=True, blank=True, help_text=_("When that build last gave a sign.")
    )
    built_at = models.DateTimeField(_("built at"), null=True, blank=True)

    objects: ClassVar[models.Manager[Index]] = models.Manager()

    class Meta:
        db_table = "vector_indexes"
        verbose_name = _("index")
        verbose_name_plural = _("indexes")

    def __str__(self) -> str:
        return f"Index of {self.collection}"


# A signal, because loaddata and serialized rollbacks never call Model.save().
@receiver(post_save, sender=Collection)
def create_tables(instance: Collection, created: bool, using: str, **_: Any) -> None:
    """Create the tables of a collection that has just been inserted."""
    if created:
        with connections[using].cursor() as cursor:
            tables = Tables.of(instance)
            schema = MetadataSchema.stored(instance.metadata_schema)
            for statement in (*tables.create(), *schema.create_indexes(tables)):
                cursor.execute(statement)


# A signal, because QuerySet.delete() and the admin's bulk deletion never call Model.delete(). The collector
# sends it inside the transaction that deletes the row.
@receiver(post_delete, sender=Collection)
def drop_tables(instance: Collection, using: str, **_: Any) -> None:
    """Drop the tables of a collection that has just been deleted."""
    with connections[using].cursor() as cursor:
        for statement in Tables(instance.pk, instance.dimensions, instance.metric).drop():
            cursor.execute(statement)


# Django finds models in this module.
from vectors.migrating.models import EmbeddingMigration  # noqa: E402, F401
from vectors.relevance.models import EvaluationRun, Judgement  # noqa: E402, F401
