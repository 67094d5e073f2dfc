"""What was done with environments, where the console keeps it."""

import logging
from contextlib import suppress

from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.http import HttpRequest

from .models import Environment

logger = logging.getLogger(__name__)


def log(request: HttpRequest, name: str, flag: int, what: str) -> None:
    """Into the console's log; where the database has just been frozen, into the process's only."""
    logger.info("%s: %s", request.user, what)
    with suppress(OperationalError):
        LogEntry.objects.log_actions(
            str(request.user.pk), [Environment(name=name)], flag, what, single_object=True
        )
