from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import Record
from .versioned import Versioned


class PromptVersionQuerySet(models.QuerySet["PromptVersion"]):
    def kept(self) -> "PromptVersionQuerySet":
        """Versions that are not in the trash."""
        return self.filter(deleted_at=None)


class PromptVersion(Versioned, Record):
    """One state of a prompt's template and configuration. Written once, never changed."""

    prompt = models.ForeignKey(
        "prompts.Prompt", verbose_name=_("prompt"), on_delete=models.CASCADE, related_name="versions"
    )
    version = models.PositiveIntegerField(_("version"))
    content = models.TextField(_("content"))
    content_hash = models.CharField(_("content hash"), max_length=64, db_index=True)
    parent = models.ForeignKey(
        "self", verbose_name=_("parent"), null=True, on_delete=models.SET_NULL, related_name="children"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), null=True, on_delete=models.SET_NULL
    )
    message = models.TextField(_("message"), blank=True, db_default="", help_text=_("What changed, and why."))
    deleted_at = models.DateTimeField(
        _("deleted at"), null=True, editable=False, help_text=_("Since when it is in the trash.")
    )

    objects = PromptVersionQuerySet.as_manager()

    class Meta:
        db_table = "prompt_versions"
        verbose_name = _("prompt version")
        verbose_name_plural = _("prompt versions")
        ordering = ["-version"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="prompt_versions_newest")]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "version"], name="prompt_versions_number_is_unique"),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="prompt_versions_number_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt.name} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A prompt version is immutable: save the prompt with new content instead.")
        super().save(*args, **kwargs)
