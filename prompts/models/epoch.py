from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import RandomHex


class RegistryEpoch(models.Model):
    """One row, which every change of what is served counts up, by triggers: whoever writes, with whatever.

    ``generation`` tells databases apart that count alike, such as before and after a backup was restored.
    """

    id = models.PositiveSmallIntegerField(_("id"), primary_key=True, default=1)
    generation = models.CharField(_("generation"), max_length=32, db_default=RandomHex())
    number = models.BigIntegerField(_("number"), db_default=0)

    class Meta:
        db_table = "registry_epoch"
        verbose_name = _("registry epoch")
        verbose_name_plural = _("registry epochs")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.generation}:{self.number}"
