"""What follows from migrating the database."""

from typing import Any

from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import receiver

from .audit import database


@receiver(pre_migrate, dispatch_uid="audit-drop-triggers")
def drop_triggers(sender: Any, using: str, **_: Any) -> None:
    if sender.name == "ops":
        database.drop(using)


@receiver(post_migrate, dispatch_uid="audit-create-triggers")
def create_triggers(sender: Any, using: str, **_: Any) -> None:
    if sender.name == "ops":
        database.create(using)
