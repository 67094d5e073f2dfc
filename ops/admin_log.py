"""What was done with environments, where the console keeps it."""

import logging
from contextlib import suppress

from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.http import HttpRequest

from prompts.changes import short

from .audit.recording import try_record
from .environments.base import Environment as Described
from .environments.base import Provider
from .models import Environment

logger = logging.getLogger(__name__)


def log(request: HttpRequest, name: str, flag: int, what: str, action: str) -> None:
    """Into the console's log; where the database has just been frozen, into the process's only."""
    logger.info("%s: %s", request.user, what)
    with suppress(OperationalError):
        LogEntry.objects.log_actions(
            str(request.user.pk), [Environment(name=name)], flag, what, single_object=True
        )
    if action != "frozen":
        audit(action, name)


def freeze(provider: Provider, name: str, reason: str) -> Described:
    """Freeze an environment. The line of the audit log comes first: where the log is in that one, it takes
    none afterwards. A second line takes it back where nothing came of it.
    """
    reason = provider.check_freezing(name, reason)
    audit("frozen", name, reason=short(reason))
    try:
        return provider.freeze(name, reason)
    except Exception:
        audit("freezing_failed", name)
        raise


def audit(action: str, name: str, **changes: object) -> None:
    """A line of the audit log; `action` is what was done with the environment."""
    try_record(f"environment.{action}", kind="ops.environment", key=name, name=name, changes=changes)
