"""The keys of backups: age identities (https://age-encryption.org), so that any age tool opens a backup too.

AFN_BACKUP_KEY holds the identities, the newest first: backups are encrypted for the first, and opened by any.
AFN_BACKUP_RECIPIENTS holds public keys of others who shall be able to open them, such as one whose identity
is kept offline.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pyrage
from django.conf import settings
from pyrage.x25519 import Identity, Recipient

from .errors import BackupProblem


def identities() -> list[Identity]:
    """Those that open backups here. Raises ``BackupProblem`` for what is none."""
    found = []
    for text in re.findall(r"[^\s,]+", settings.AFN_BACKUP_KEY):
        try:
            found.append(Identity.from_str(text))
        except pyrage.IdentityError as error:
            raise BackupProblem(
                "AFN_BACKUP_KEY: expected age identities (AGE-SECRET-KEY-1…), got something else. "
                "`manage.py backup_key FILE` makes one."
            ) from error
    return found


def recipients(known: Sequence[Identity]) -> list[Recipient]:
    """For whom backups are encrypted: nobody where no key is set."""
    found = [known[0].to_public()] if known else []
    for text in settings.AFN_BACKUP_RECIPIENTS:
        try:
            found.append(Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise BackupProblem(
                f"AFN_BACKUP_RECIPIENTS: expected public keys such as age1…, got {text[:80]!r}."
            ) from error
    return found


def make_key(file: Path) -> str:
    """Write a new identity to a file that is not there yet, for its owner alone; its public key."""
    identity = Identity.generate()
    text = f"# public key: {identity.to_public()}\n{identity}\n"
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise BackupProblem(f"{file}: there is such a file already, and it may be a key.") from error
    except OSError as error:
        raise BackupProblem(f"{file}: cannot be written: {error.strerror}.") from error
    return str(identity.to_public())
