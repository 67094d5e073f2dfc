"""Which backup of an environment was brought to the bucket last: remembered in the database, so that who
looks at health does not ask S3.
"""

import logging
from typing import Final

from django.db import DatabaseError

from ops.health import signs
from ops.health.models import HealthSign

from . import s3
from .names import BackupName

logger = logging.getLogger(__name__)
_SIGN: Final = "uploaded"


def remember(name: BackupName) -> None:
    """Once it is there. That an older one is brought there afterwards changes nothing."""
    try:
        known = newest(name.environment)
        if known is None or known < name:
            signs.note(f"{_SIGN} {name.environment}", _detail(name))
    except DatabaseError as error:  # a frozen one, say: the backup is where it should be all the same
        logger.warning("That %s is in the bucket is not noted: %s", name, type(error).__name__)


def newest(environment: str) -> BackupName | None:
    """The newest that was brought to the bucket that is set now."""
    sign = signs.last(f"{_SIGN} {environment}")
    name = BackupName.read(sign.detail.partition(" ")[0]) if sign else None
    return name if sign and name and sign.detail == _detail(name) else None


def _detail(name: BackupName) -> str:
    """With its folder, for what is in another bucket is not in this one."""
    return f"{name} {s3.address('')}"[: HealthSign._meta.get_field("detail").max_length]
