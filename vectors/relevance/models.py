"""Judgements, and what a collection's search was measured at.

`vectors.models` imports this module, so that Django finds the models: it imports nothing of it in turn.
"""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vectors.fulltext import is_mostly_cjk, terms
from vectors.limits import MAX_KEY

# 2 ** 30 is the largest gain: past that, one document would be all there is to a query.
MAX_GRADE = 30


def hash_query(query: str) -> str:
    """SHA-256 (hexadecimal) of a query's text, which may be too long for an index."""
    return sha256(query.encode()).hexdigest()


class JudgementSource(models.TextChoices):
    IMPORT = "import", _("Import")
    CLICK = "click", _("Click")
    API = "api", "API"


class Language(models.TextChoices):
    """Of a query, as far as search tells them apart: which of two keyword weights it has."""

    NONE = "", _("None")
    EN = "en", _("English and others")
    JA = "ja", _("Japanese, Chinese, Korean")

    @classmethod
    def of(cls, query: str) -> Language:
        """NONE for a query without letters and digits."""
        if not terms(query):
            return cls.NONE
        return cls.JA if is_mostly_cjk(query) else cls.EN


class Judgement(models.Model):
    """How well one item answers one query: 0 not at all, from 1 the better the higher.

    The item need not be there (yet, or any more). Whoever judged is a plain name: this app knows no users.
    """

    collection = models.ForeignKey(
        "vectors.Collection",
        verbose_name=_("collection"),
        on_delete=models.CASCADE,
        related_name="judgements",
    )
    query = models.TextField(_("query"))
    query_hash = models.CharField(_("query hash"), max_length=64, editable=False)
    key = models.CharField(_("key"), max_length=MAX_KEY)
    grade = models.PositiveSmallIntegerField(_("grade"), help_text=_("0 is not relevant."))
    source = models.CharField(_("source"), max_length=8, choices=JudgementSource)
    language = models.CharField(
        _("language"), max_length=2, choices=Language, blank=True, default=Language.NONE
    )
    created_by = models.CharField(
        _("created by"), max_length=254, blank=True, help_text=_("Who judged, where that is known.")
    )
    created_at = models.DateTimeField(
        _("created at"), default=timezone.now, help_text=_("When this grade was given.")
    )

    objects: ClassVar[models.Manager[Judgement]] = models.Manager()

    class Meta:
        app_label = "vectors"
        db_table = "vector_judgements"
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("collection", "query_hash", "key"), name="vector_judgements_unique"
            ),
            models.CheckConstraint(
                name="vector_judgements_grade", condition=models.Q(grade__gte=0, grade__lte=MAX_GRADE)
            ),
            models.CheckConstraint(
                name="vector_judgements_source", condition=models.Q(source__in=JudgementSource.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.query[:60]} → {self.key}: {self.grade}"


class QuerySource(models.TextChoices):
    JUDGEMENTS = "judgements", _("Judgements")
    KNOWN_ITEMS = "known-items", _("Known items")


class EvaluationRun(models.Model):
    """One measurement of one mode of search, with the scores of each query, to pair a later run with.

    `metrics` is {name: {"mean", "low", "high"}}, the bounds those of a 95 % interval. `scores` is {first 16
    digits of the query's hash: [digest of its judgements, score…]}, the scores in the order of `metrics`.
    """

    collection = models.ForeignKey(
        "vectors.Collection",
        verbose_name=_("collection"),
        on_delete=models.CASCADE,
        related_name="evaluation_runs",
        db_index=False,
    )
    mode = models.CharField(_("mode"), max_length=8)
    source = models.CharField(
        _("source"), max_length=16, choices=QuerySource, help_text=_("Where the queries came from.")
    )
    settings = models.JSONField(
        _("settings"), default=dict, help_text=_("Fusion, keyword weights, strategy, k.")
    )
    index = models.JSONField(
        _("index"), default=dict, help_text=_("Embedder, dimensions, rows, strategies used.")
    )
    n = models.PositiveIntegerField(_("queries"))
    metrics = models.JSONField(_("metrics"), default=dict)
    scores = models.JSONField(_("scores"), default=dict, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[models.Manager[EvaluationRun]] = models.Manager()

    class Meta:
        app_label = "vectors"
        db_table = "vector_evaluation_runs"
        verbose_name = _("evaluation run")
        verbose_name_plural = _("evaluation runs")
        ordering = ("-pk",)
        indexes = (models.Index(fields=("collection", "mode", "source"), name="vector_evaluation_runs_like"),)
        constraints = (
            models.CheckConstraint(
                name="vector_evaluation_runs_source", condition=models.Q(source__in=QuerySource.values)
            ),
        )

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.mode}"
