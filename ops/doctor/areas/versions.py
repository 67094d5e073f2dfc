"""What AFN runs on: Python, its packages beside those that are pinned, the engine, the server."""

import platform
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from packaging.requirements import InvalidRequirement, Requirement

from ..examining import Case
from ..findings import Notes

_PYTHON: Final = ((3, 11), (3, 14))  # from, to below
_BINDING: Final = "libsql"
_SERVER_SECONDS: Final = 3.0


def look(notes: Notes, case: Case) -> None:
    _look_at_python(notes)
    wrong = list(differing(Path(settings.BASE_DIR) / "requirements.txt"))
    for name, wanted, found in wrong:
        is_binding = name == _BINDING
        (notes.problem if is_binding else notes.warn)(
            name,
            f"{found or 'not installed'}; requirements.txt pins {wanted}",
            "Later ones cannot copy from a libSQL server, and without one there are no local files."
            if is_binding
            else "AFN was tested with the versions that are pinned, and with no others.",
            f"`pip install {name}=={wanted}`, or all of them: `pip install -r requirements.txt`.",
        )
    if not wrong:
        notes.ok("packages", "as requirements.txt pins them")


def look_at_engine(notes: Notes, case: Case) -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT sqlite_version()")
        (engine,) = cursor.fetchone()
    notes.ok("engine", f"SQLite {engine}{'' if case.file is None else f', {_BINDING} {installed(_BINDING)}'}")
    if case.file is None:
        notes.ok("server", server_version(case.target) or "does not tell its version")


def _look_at_python(notes: Notes) -> None:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if _PYTHON[0] <= sys.version_info[:2] < _PYTHON[1]:
        notes.ok("Python", found)
    else:
        notes.warn(
            "Python",
            found,
            "The binding to local files has no wheels for it.",
            f"Use Python {_PYTHON[0][0]}.{_PYTHON[0][1]} to {_PYTHON[1][0]}.{_PYTHON[1][1] - 1}.",
        )


def differing(requirements: Path) -> Iterator[tuple[str, str, str]]:
    """Name, pinned and installed version of each package where these differ; nothing without the file."""
    if not requirements.is_file():
        return
    for line in requirements.read_text(encoding="utf-8").splitlines():
        try:
            wanted = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        found = installed(wanted.name)
        if not found or not wanted.specifier.contains(found, prereleases=True):
            yield wanted.name, str(wanted.specifier).removeprefix("=="), found


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def server_version(target: Any) -> str:
    """What the server says at `/version`; empty where it says nothing, as Turso's."""
    parts = urlsplit(target.url)
    scheme = {"libsql": "https", "wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    try:
        with urllib.request.urlopen(  # noqa: S310 - of http or https, from the settings
            f"{scheme}://{parts.netloc}/version", timeout=_SERVER_SECONDS
        ) as answer:
            return str(answer.read(200).decode("utf-8", "replace")).strip()
    except (OSError, ValueError):
        return ""
