"""Who sends notifications once they are committed: a worker where there is Redis, else a thread of this
process. Where neither comes about, the next look at the rules sends them.
"""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from ops.background import Background
from prompts.queueing import enqueue


def start() -> None:
    """Have somebody send soon. Never raises, for what happened has happened."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        _sender.is_asked = True
        return
    from ops.tasks import send_alerts

    enqueue(send_alerts, otherwise="Alerts wait")


def start_on_commit() -> None:
    """Once, however many notifications a transaction has."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block or not any(call[1] is start for call in connection.run_on_commit):
        transaction.on_commit(start, robust=True)


def _send() -> float:
    from .delivering import send_due

    send_due()
    return 3_600.0  # the schedule that looks at the rules sends what has to be tried again


_sender = Background("alerts", _send)
