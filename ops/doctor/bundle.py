"""An archive for somebody who helps from afar: what was found, and what else they would ask for first.

No table is copied. Every text goes through `masking`: no secret, no prompt's content, nothing of people but
the ids of users. A part that cannot be made is left out, and says why in `left_out.json`.
"""

import json
import os
import secrets
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from . import bundle_parts as parts
from .examining import Case, Examination
from .findings import Finding, Notes, Report
from .masking import Masker, stored_secrets, user_names

_SECONDS: Final = 30
_SUFFIX: Final = ".zip"
Make = Callable[[Case, Masker], Any]
# By the file's name: how it is made, and whether that takes the database.
PARTS: Final[dict[str, tuple[Make, bool]]] = {
    "versions.json": (parts.versions, False),
    "settings.json": (parts.settings, False),
    "redis.json": (parts.redis, False),
    "log.txt": (parts.log, False),
    "schema.sql": (parts.schema, True),
    "tables.json": (parts.tables, True),
    "migrations.json": (parts.migrations, True),
    "health.json": (parts.health, True),
    "jobs.json": (parts.jobs, True),
    "slow_queries.json": (parts.slow_queries, True),
}


def check_target(path: Path) -> None:
    """Raises ``CommandError``, before anything is looked at."""
    if path.suffix != _SUFFIX or not path.absolute().parent.is_dir():
        raise CommandError(
            f"--bundle: expected a file that ends with {_SUFFIX}, in a folder that is there; got {path}."
        )
    if os.path.lexists(path):
        raise CommandError(f"--bundle: there is a file {path} already. Choose another name, or remove it.")


def write(path: Path, case: Case, report: Report) -> Path:
    """Write the archive, for this user alone. Under its name it is whole."""
    check_target(path)
    contents = collect(case, report)
    path = path.absolute()
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with (
            open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, text in contents.items():
                archive.writestr(name, text)
        os.link(new, path)  # not `replace`, which would take another one's place
    except OSError as error:
        raise CommandError(f"--bundle: {path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            new.unlink()
    return path


def collect(case: Case, report: Report) -> dict[str, str]:
    """The files of the archive, by their names."""
    left_out: list[Finding] = []
    masker = _masker(case, left_out)
    found = {"doctor.json": _as_text(masker.values(report.as_json()))}
    for name, (make, needs_database) in PARTS.items():
        if needs_database and not masker.knows_names:
            continue
        found |= _made(name, make, case, masker, left_out)
    found["left_out.json"] = _as_text(masker.values([one.as_json() for one in left_out], people=True))
    return found


def _made(name: str, make: Make, case: Case, masker: Masker, left_out: list[Finding]) -> dict[str, str]:
    made: dict[str, str] = {}

    def look(notes: Notes, case: Case) -> None:
        made[name] = _as_text(make(case, masker))

    left_out += Examination("bundle", name, look, timeout=_SECONDS).run(case)
    return dict(made)


def _masker(case: Case, left_out: list[Finding]) -> Masker:
    known: dict[str, Any] = {}

    def look(notes: Notes, case: Case) -> None:
        known["secrets"], known["names"] = stored_secrets(), user_names()

    left_out += Examination("bundle", "names of users", look, timeout=_SECONDS).run(case)
    return Masker(known.get("secrets", ()), known.get("names"))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
