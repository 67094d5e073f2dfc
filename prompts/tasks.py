"""What workers do. Tasks take ids, may run twice, and do nothing that a function elsewhere does not."""

import threading

from celery import shared_task
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from . import indexing
from .evaluating import runs
from .models import Prompt


@shared_task(ignore_result=True)
def index_prompts(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.index(Prompt.objects.using(using).filter(pk__in=prompt_ids), using=using)


@shared_task(ignore_result=True)
def remove_from_index(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.remove(prompt_ids, using=using)


@shared_task(ignore_result=True)
def run_evaluation(run_id: str) -> None:
    """A slice of a run; what is left is a task of its own, so that none runs for long."""
    if runs.process(run_id):
        run_evaluation.delay(run_id)


def run_later(run_id: str) -> None:
    """Have a worker work on a run; where tasks run at once, a thread: who asks does not wait for a model."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:
        run_evaluation.delay(run_id)
        return
    threading.Thread(target=_run_here, args=[run_id], daemon=True, name=f"run {run_id}").start()


def _run_here(run_id: str) -> None:
    try:
        while runs.process(run_id):
            pass
    finally:
        connections.close_all()
