"""The SECRET_KEY of a checkout: written once by `quickstart`, read by the settings."""

import os
import secrets
import tempfile
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / "var" / "secret_key"


def read() -> str:
    """The key, or nothing where none was written yet."""
    return PATH.read_text(encoding="ascii").strip() if PATH.is_file() else ""


def ensure() -> None:
    """Write a key that only this user can read, unless there is one."""
    if read():
        return
    PATH.parent.mkdir(mode=0o700, exist_ok=True)
    # Written whole under another name (mkstemp gives it 0600), then linked: two starts agree on one key.
    descriptor, name = tempfile.mkstemp(dir=PATH.parent)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(name, PATH)
    except FileExistsError:
        if not read():  # left empty by a start that was cut off
            os.replace(name, PATH)
    finally:
        Path(name).unlink(missing_ok=True)
