"""What follows from deleting a prompt, and from migrating the database."""

from typing import Any

from django.db import connections, transaction
from django.db.models.signals import post_delete, post_migrate, pre_migrate
from django.dispatch import receiver

from vectors.models import Collection

from . import embeddings_view
from .models import Prompt


@receiver(post_delete, sender=Prompt)
def remove_from_index(instance: Prompt, using: str, **kwargs: Any) -> None:
    from .tasks import remove_from_index

    prompt_id = instance.pk  # the deletion takes it off the object before it commits
    transaction.on_commit(lambda: remove_from_index.delay([prompt_id]), using=using, robust=True)


@receiver(pre_migrate)
def drop_view(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "prompts":
        embeddings_view.drop(using)


@receiver(post_migrate)
def create_view(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name != "prompts":
        return
    tables = connections[using].introspection.table_names()
    if {"prompt_embedding_records", "vector_collections"} <= set(tables):
        collection = Collection.objects.using(using).filter(name="prompts").first()
        embeddings_view.create(collection, using)
