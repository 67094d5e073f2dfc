"""System checks of the files with secrets: a plain one beside the encrypted one, and who can read them."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register

from . import env, secret_key
from .secure_env.files import is_open_to_others, new_name
from .secure_env.keys import KEY_FILE
from .secure_env.reading import ENCRYPTED


@register(Tags.security)
def check_secret_files(**_: Any) -> list[CheckMessage]:
    """Warnings afn.W010 and W011."""
    if env.FILE is None:
        return []
    return [*warn_of_plain(env.FILE), *warn_of_readers(list(_private_files(env.FILE, os.environ)))]


def warn_of_plain(plain: Path) -> Iterator[CheckMessage]:
    """A plain file, or one that a killed command left half-written, beside the encrypted one."""
    encrypted = plain.with_name(ENCRYPTED)
    if not os.path.lexists(encrypted):
        return
    for path in (plain, new_name(plain)):
        if os.path.lexists(path):
            yield Warning(
                f"{path} holds secrets in plain text beside {encrypted.name}, and is not read.",
                hint="Remove it, or run `manage.py secure_env encrypt --remove-plain`. To work with "
                f"{plain.name} again: `manage.py secure_env decrypt --remove-encrypted`.",
                id="afn.W010",
            )


def warn_of_readers(paths: list[Path]) -> Iterator[CheckMessage]:
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # there is none, or whoever reads it says so
            continue
        if stat.S_ISREG(status.st_mode) and is_open_to_others(status):
            yield Warning(
                f"{path} holds secrets, and others than its owner have rights to it "
                f"(mode {stat.S_IMODE(status.st_mode):04o}).",
                hint=f"Run: chmod 600 {path}",
                id="afn.W011",
            )


def _private_files(plain: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    yield plain
    yield secret_key.PATH
    if path := environ.get(KEY_FILE):
        yield plain.parent / path
