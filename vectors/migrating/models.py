"""Where the change of a collection's embedding model stands.

`vectors.models` imports this module, so that Django finds the model: it imports nothing of it in turn.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _


class EmbeddingMigration(models.Model):
    """Two collections of the same items in different embeddings: `live` is searched, `spare` is hidden.

    Whatever is written to either goes to both (see `vectors.migrating.spaces`). Before the switch the spare
    one is the new space, afterwards the old one, kept to go back to.
    """

    live = models.OneToOneField(
        "vectors.Collection", verbose_name=_("live"), on_delete=models.CASCADE, related_name="migration"
    )
    spare = models.OneToOneField(
        "vectors.Collection", verbose_name=_("spare"), on_delete=models.CASCADE, related_name="migrated_from"
    )
    is_switched = models.BooleanField(_("is switched"), default=False)
    estimate = models.JSONField(_("estimate"), default=dict, editable=False)
    verdict = models.JSONField(
        _("verdict"), default=dict, editable=False, help_text=_("Empty: there is none yet.")
    )
    filler = models.CharField(
        _("filler"),
        max_length=300,
        blank=True,
        editable=False,
        help_text=_("The process that fills the spare space."),
    )
    filler_at = models.DateTimeField(
        _("filler at"), null=True, editable=False, help_text=_("When it last gave a sign.")
    )
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    switched_at = models.DateTimeField(_("switched at"), null=True, editable=False)

    objects: ClassVar[models.Manager[EmbeddingMigration]] = models.Manager()

    class Meta:
        app_label = "vectors"
        db_table = "vector_embedding_migrations"
        verbose_name = _("embedding migration")
        verbose_name_plural = _("embedding migrations")

    def __str__(self) -> str:
        return f"Migration of {self.live_id}"


# Also where either collection is deleted, whose deletion takes this row along.
@receiver(post_delete, sender=EmbeddingMigration)
def delete_spare(instance: EmbeddingMigration, using: str, **_: Any) -> None:
    """The spare space goes with its migration: nobody else knows of it."""
    spaces = EmbeddingMigration._meta.get_field("spare").related_model
    spaces._default_manager.using(using).filter(pk=instance.spare_id).delete()
