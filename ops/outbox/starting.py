"""Who tells events once they are committed: a worker where there is Redis, else a thread of this process.

Either way a request waits for no receiver. Where neither comes about (Redis is down, a command has ended),
the events wait in the outbox for the next sweep.
"""

from django.conf import settings

from prompts.queueing import enqueue

from . import background


def start() -> None:
    """Have somebody sweep soon. Never raises, for what happened has happened."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        background.ask()
        return
    from ops.tasks import deliver_events

    enqueue(deliver_events, otherwise="Events wait in the outbox")
