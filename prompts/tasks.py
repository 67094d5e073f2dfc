"""What workers do. Tasks take ids, may run twice, and do nothing that a function elsewhere does not."""

import threading
from typing import Final

from celery import shared_task
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from . import indexing
from .evaluating import runs
from .models import Prompt
from .queueing import enqueue

SWEPT: Final = 500
CATCH_UP_SECONDS: Final = 60
# So many runs at a time in a process without workers.
_places: Final = threading.BoundedSemaphore(4)


@shared_task(ignore_result=True)
def index_prompts(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.index(Prompt.objects.using(using).filter(pk__in=prompt_ids), using=using)


@shared_task(ignore_result=True)
def remove_from_index(prompt_ids: list[str], using: str = DEFAULT_DB_ALIAS) -> None:
    indexing.remove(prompt_ids, using=using)


def remove_later(prompt_ids: list[str], using: str) -> None:
    """Have a worker take them out of the index; of another environment at once, which no worker knows."""
    if using == DEFAULT_DB_ALIAS:
        enqueue(remove_from_index, prompt_ids, using, otherwise="The index keeps prompts that are gone")
    else:
        remove_from_index(prompt_ids, using)


@shared_task(ignore_result=True)
def catch_up() -> None:
    """By the scheduler: go on with runs whose worker is gone, and bring the index in step with what no worker
    was told of. That comes last, for it ends with an error where the embedder is out of reach.
    """
    for run_id in runs.waiting(SWEPT):
        if not enqueue(run_evaluation, run_id, otherwise="Runs wait", expires=CATCH_UP_SECONDS):
            break
    indexing.remove_gone(SWEPT)
    indexing.index_outdated(SWEPT)


@shared_task(ignore_result=True)
def run_evaluation(run_id: str) -> None:
    """A slice of a run; what is left is a task of its own, so that none runs for long."""
    if runs.process(run_id):
        enqueue(run_evaluation, run_id, otherwise="A run waits")


def run_later(run_id: str) -> None:
    """Have a worker work on a run; where tasks run at once, a thread: who asks does not wait for a model."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:
        enqueue(run_evaluation, run_id, otherwise="A run waits")
        return
    threading.Thread(target=_run_here, args=[run_id], daemon=True, name=f"run {run_id}").start()


def _run_here(run_id: str) -> None:
    """Where there are threads enough, one of them goes on with it when it is done with its own."""
    try:
        while run_id and _places.acquire(blocking=False):
            try:
                while runs.process(run_id):
                    pass
            finally:
                _places.release()
            run_id = next(iter(runs.waiting(1)), "")
    finally:
        connections.close_all()  # they are this thread's
