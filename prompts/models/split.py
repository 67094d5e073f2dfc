from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from ..validators import validate_label
from .base import Record
from .prompt import Prompt


class LabelSplit(Record):
    """A label that serves several versions at a time, by weights, to find out which is better.

    Its arms never change: other weights are another split, for the test of significance reckons with them.
    """

    prompt = models.ForeignKey(
        Prompt, verbose_name=_("prompt"), on_delete=models.CASCADE, related_name="splits"
    )
    label = models.CharField(_("label"), max_length=36, validators=[validate_label])
    arms = models.JSONField(
        _("arms"), help_text=_('[{"version": 1, "weight": 50}, …]; the first is the control.')
    )
    salt = models.CharField(_("salt"), max_length=32)
    alpha = models.FloatField(
        _("alpha"), default=0.05, validators=[MinValueValidator(0.0001), MaxValueValidator(0.5)]
    )
    reason = models.TextField(_("reason"), blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        db_table = "label_splits"
        verbose_name = _("label split")
        verbose_name_plural = _("label splits")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "label"],
                condition=models.Q(ended_at=None),
                name="label_splits_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.prompt_id}"


class SplitSubject(models.Model):
    """Somebody, known by a hash alone, who was served an arm; and what came of it, once that is known."""

    split = models.ForeignKey(
        LabelSplit, verbose_name=_("split"), on_delete=models.CASCADE, related_name="subjects"
    )
    subject = models.CharField(_("subject"), max_length=64)
    arm = models.PositiveSmallIntegerField(_("arm"))
    exposed_at = models.DateTimeField(_("exposed at"), db_default=Now())
    outcome = models.FloatField(
        _("outcome"),
        null=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("0 to 1."),
    )
    outcome_at = models.DateTimeField(_("outcome at"), null=True)

    class Meta:
        db_table = "split_subjects"
        verbose_name = _("split subject")
        verbose_name_plural = _("split subjects")
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(fields=["split", "subject"], name="split_subjects_subject_is_unique"),
        ]
        indexes = [models.Index(fields=["split", "arm", "outcome"], name="split_subjects_of_an_arm")]

    def __str__(self) -> str:
        return f"{self.subject[:8]} in arm {self.arm}"
