"""Telling workers what to do: never waited for twice while the queue is down, and never an error.

What is told may be lost with the queue, and who asks only loses time by it: what nobody was told of is found
by a sweep, which the scheduler starts.
"""

import logging
from typing import Any, Final

from django.conf import settings

from .serving.circuit import Circuit

logger = logging.getLogger(__name__)
# After a failure nobody asks the queue for some seconds: each try costs a request its time-out.
circuit: Final = Circuit(pause=5.0)


def enqueue(task: Any, *arguments: Any, otherwise: str, **options: Any) -> bool:
    """Have a worker run this task of Celery, and tell whether one will hear of it. `otherwise` is what the
    log says of a task that none does hear of. Without Redis it runs here and now, and raises what it raises.
    """
    if settings.CELERY_TASK_ALWAYS_EAGER:
        task.apply_async(arguments, **options)
        return True
    if not circuit.may_try():
        return False
    try:
        # No second try: a request would wait for it, and it is found later anyway.
        task.apply_async(arguments, retry=False, **options)
    except Exception as error:  # noqa: BLE001 - whatever a client of the broker raises
        circuit.failed()
        logger.warning("%s, no worker could be told: %s", otherwise, type(error).__name__)
        return False
    circuit.worked()
    return True
