"""What was done with environments, where the console keeps it."""

import logging
from contextlib import suppress

from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.http import HttpRequest

from .audit.recording import try_record
from .models import Environment

logger = logging.getLogger(__name__)


def log(request: HttpRequest, name: str, flag: int, what: str, action: str) -> None:
    """Into the console's log; where the database has just been frozen, into the process's only."""
    logger.info("%s: %s", request.user, what)
    with suppress(OperationalError):
        LogEntry.objects.log_actions(
            str(request.user.pk), [Environment(name=name)], flag, what, single_object=True
        )
    audit(action, name)


def audit(action: str, name: str, **changes: object) -> None:
    """A line of the audit log; `action` is what was done with the environment."""
    try_record(f"environment.{action}", kind="ops.environment", key=name, name=name, changes=changes)
