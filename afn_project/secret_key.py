"""The SECRET_KEY of a checkout: written once by `quickstart`, read by the settings."""

import os
import secrets
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / "var" / "secret_key"


def read() -> str:
    """The key, or nothing where none was written yet."""
    return PATH.read_text(encoding="ascii").strip() if PATH.is_file() else ""


def ensure() -> None:
    """Write a key that only this user can read, unless there is one."""
    PATH.parent.mkdir(exist_ok=True)
    try:
        # Created with its rights and never overwritten: two starts at once agree on one key.
        descriptor = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
