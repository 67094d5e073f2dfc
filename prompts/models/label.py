from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from ..validators import validate_label
from .base import ChangingRecord, Record
from .prompt import Prompt
from .version import PromptVersion

LATEST: Final = "latest"
MAX_ITEMS: Final = 100_000  # evaluated items that are looked at


class PromptLabel(Record):
    """Which version of a prompt a label serves now. ``latest`` has no row: it is always the newest."""

    prompt = models.ForeignKey(
        Prompt, verbose_name=_("prompt"), on_delete=models.CASCADE, related_name="labels"
    )
    version = models.ForeignKey(
        PromptVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="labels"
    )
    name = models.CharField(_("name"), max_length=36, validators=[validate_label])
    moved_at = models.DateTimeField(_("moved at"), db_default=Now())

    class Meta:
        db_table = "prompt_labels"
        verbose_name = _("prompt label")
        verbose_name_plural = _("prompt labels")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "name"], name="prompt_labels_name_is_unique"),
        ]
        indexes = [models.Index(fields=["name"], name="prompt_labels_name")]
        permissions = [("move_protected_label", "Can move protected labels")]

    def __str__(self) -> str:
        return self.name


class LabelMove(models.Model):
    """One line of the log of labels: only ever added to, in the order of the ids."""

    id = models.BigAutoField(_("id"), primary_key=True)
    # The database deletes them after their prompt, and not otherwise (`prompts.database`).
    prompt = models.ForeignKey(
        Prompt, verbose_name=_("prompt"), on_delete=models.DO_NOTHING, related_name="label_moves"
    )
    label = models.CharField(_("label"), max_length=36)
    from_version = models.PositiveIntegerField(
        _("from version"), null=True, help_text=_("Empty: it was not there.")
    )
    to_version = models.PositiveIntegerField(
        _("to version"), null=True, help_text=_("Empty: it was taken off.")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("actor"), null=True, on_delete=models.SET_NULL
    )
    actor_name = models.CharField(_("actor name"), max_length=255, blank=True, help_text=_("As it was then."))
    reason = models.TextField(_("reason"), blank=True)
    evidence = models.JSONField(
        _("evidence"), null=True, help_text=_("The figures that the move was allowed on.")
    )
    undoes = models.ForeignKey(
        "self", verbose_name=_("undoes"), null=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        db_table = "label_moves"
        verbose_name = _("label move")
        verbose_name_plural = _("label moves")
        ordering = ["-id"]
        indexes = [models.Index(fields=["prompt", "label", "-id"], name="label_moves_of_a_label")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.label}: {self.from_version} → {self.to_version}"


class Evidence(models.TextChoices):
    """What a label asks for before it moves."""

    NONE = "none", _("Nothing")
    THRESHOLD = "threshold", _("A mean score of at least the threshold")
    BETTER = "better", _("Better than the version it serves, by a paired test")
    NOT_WORSE = "not_worse", _("Not worse than the version it serves by more than the margin")


class LabelPolicy(ChangingRecord):
    """What holds for a label in all prompts. A label without a policy may be moved by every editor."""

    name = models.CharField(
        _("name"),
        max_length=36,
        unique=True,
        validators=[validate_label],
        help_text=_("The label, such as production. The policy holds for it in all prompts."),
    )
    is_protected = models.BooleanField(
        _("is protected"),
        default=False,
        db_default=False,
        help_text=_("Only who may move protected labels moves it."),
    )
    evidence = models.CharField(
        _("evidence"),
        max_length=16,
        choices=Evidence.choices,
        default=Evidence.NONE,
        db_default=Evidence.NONE,
        help_text=_("What a version has to show before the label moves to it."),
    )
    score_name = models.CharField(
        _("score name"),
        max_length=64,
        blank=True,
        db_default="",
        help_text=_("Which score counts. Left empty: the main one."),
    )
    minimum_items = models.PositiveIntegerField(
        _("minimum items"),
        default=30,
        db_default=30,
        validators=[MinValueValidator(1)],
        help_text=_("Evaluated items; of a paired test those that both versions were evaluated on."),
    )
    threshold = models.FloatField(
        _("threshold"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("The least mean score, from 0 to 1."),
    )
    confidence = models.FloatField(
        _("confidence"),
        default=0.95,
        db_default=0.95,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.9999)],
        help_text=_("Of the paired test: 0.95 lets one in twenty pass that is no better."),
    )
    margin = models.FloatField(
        _("margin"),
        default=0.0,
        db_default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("How much worse is still not worse, as a difference of mean scores."),
    )

    class Meta:
        db_table = "label_policies"
        verbose_name = _("label policy")
        verbose_name_plural = _("label policies")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(evidence__in=Evidence.values), name="label_policies_evidence_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        problems: dict[str, Any] = {}
        if self.name == LATEST:
            problems["name"] = "Expected another label than latest, which moves by itself."
        if self.minimum_items is not None and self.minimum_items > MAX_ITEMS:
            problems["minimum_items"] = f"Expected at most {MAX_ITEMS:,} items, got {self.minimum_items:,}."
        if self.evidence == Evidence.THRESHOLD and self.threshold is None:
            problems["threshold"] = "Expected a threshold from 0 to 1 for this evidence, got nothing."
        if problems:
            raise ValidationError(problems)
