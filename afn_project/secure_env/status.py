"""Which form of `.env` is read, with which key, and what variables it sets: names, never values."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from . import files
from .keys import find_store
from .problems import SecretProblem
from .reading import ENCRYPTED, PLAIN, open_encrypted
from .sealing import MOST_PLAIN
from .texts import read_names


@dataclass(frozen=True)
class Status:
    """`form` is the one that is read; `problem` says why it cannot be."""

    folder: str
    form: Literal["encrypted", "plain", "none"]
    plain: bool
    encrypted: bool
    key_source: str | None
    problem: str | None
    variables: tuple[str, ...]
    unnamed_lines: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_status(
    folder: Path, known: frozenset[str] = frozenset(), environ: Mapping[str, str] = os.environ
) -> Status:
    plain, encrypted = folder / PLAIN, folder / ENCRYPTED
    has_plain, has_encrypted = os.path.lexists(plain), os.path.lexists(encrypted)
    store = find_store(folder, environ) if has_encrypted else None
    text, problem = "", None
    try:
        if store:
            text = open_encrypted(encrypted, store).text
        elif has_plain:
            text = files.as_text(files.read_limited(plain, MOST_PLAIN), str(plain))
    except SecretProblem as error:
        problem = str(error)
    names = read_names(text, known)
    return Status(
        folder=str(folder),
        form="encrypted" if has_encrypted else "plain" if has_plain else "none",
        plain=has_plain,
        encrypted=has_encrypted,
        key_source=store.name if store else None,
        problem=problem,
        variables=names.shown,
        unnamed_lines=names.lines,
    )
