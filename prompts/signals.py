"""What follows from deleting a prompt, and from migrating the database."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_migrate, post_save, pre_migrate
from django.dispatch import receiver

from vectors.migrating.signals import switched
from vectors.models import Collection

from . import database
from .events import Event, tell
from .indexing import COLLECTION
from .models import Evaluation, Prompt, PromptEmbedding


@receiver(post_delete, sender=Prompt)
def remove_from_index(instance: Prompt, using: str, **kwargs: Any) -> None:
    from .tasks import remove_later

    ids = [instance.pk]  # the deletion takes it off the object before it commits
    transaction.on_commit(lambda: remove_later(ids, using), using=using, robust=True)


@receiver(post_save, sender=Evaluation)
def tell_of_evaluation(instance: Evaluation, using: str, created: bool, raw: bool, **kwargs: Any) -> None:
    """Single ones; a run stores its own in bulk, and is told of as a whole when it is over."""
    if created and not raw:
        version = instance.version.version if instance.version else None
        data = {"version": version, "name": instance.name, "item": instance.item, "score": instance.score}
        tell(Event("evaluation.created", instance.prompt_id, instance.prompt.name, data=data), using)


@receiver(pre_migrate)
def drop_view_and_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "prompts":
        database.drop(using)


@receiver(post_migrate)
def create_view_and_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "prompts":
        database.create_where_migrated(using)


@receiver(switched)
def follow_the_index(collection: Collection, using: str, **kwargs: Any) -> None:
    """The index changed over to another embedding model: to other tables, of which view and records tell."""
    if collection.name == COLLECTION:
        database.create_view(collection, using)
        PromptEmbedding.objects.using(using).filter(collection=collection).update(model=collection.model)
