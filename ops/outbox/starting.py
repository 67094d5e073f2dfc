"""Who tells events once they are committed: a worker where there is Redis, else a thread of this process.

Either way a request waits for no receiver. Where neither comes about (Redis is down, a command has ended),
the events wait in the outbox for the next sweep.
"""

import logging
from typing import Final

from django.conf import settings

from prompts.serving.circuit import Circuit

from . import background

logger = logging.getLogger(__name__)
# After a failure nobody asks the broker for some seconds: each try costs a request its time-out.
_broker: Final = Circuit(pause=5.0)


def start() -> None:
    """Have somebody sweep soon. Never raises, for what happened has happened."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        background.ask()
        return
    from ops.tasks import deliver_events

    if not _broker.may_try():
        return
    try:
        # No second try: a request would wait for it, and the sweeper comes anyway.
        deliver_events.apply_async(retry=False)
        _broker.worked()
    except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
        _broker.failed()
        logger.warning("Events wait in the outbox, no worker could be told: %s", type(error).__name__)
