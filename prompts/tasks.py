"""What workers do. Tasks take ids, may run twice, and do nothing that a function elsewhere does not."""

from celery import shared_task
from django.db import DEFAULT_DB_ALIAS

from . import indexing
from .models import Prompt


@shared_task(ignore_result=True)
def index_prompts(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.index(Prompt.objects.using(using).filter(pk__in=prompt_ids), using=using)


@shared_task(ignore_result=True)
def remove_from_index(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.remove(prompt_ids, using=using)
