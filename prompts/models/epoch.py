from django.db import models

from .base import RandomHex


class RegistryEpoch(models.Model):
    """One row, which every change of what is served counts up, by triggers: whoever writes, with whatever.

    ``generation`` tells databases apart that count alike, such as before and after a backup was restored.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    generation = models.CharField(max_length=32, db_default=RandomHex())
    number = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "registry_epoch"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.generation}:{self.number}"
