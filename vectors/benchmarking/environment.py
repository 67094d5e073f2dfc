"""The Python environment of the peers, apart from the project's own: made when it is first asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from django.conf import settings

from vectors.benchmarking.errors import InvalidBenchmark
from vectors.errors import shown
from vectors.progress import track

REQUIREMENTS: Final = Path(__file__).with_name("peers.txt")
_STAMP: Final = "installed.txt"
_NO_CONNECTION: Final = re.compile("after connection broken by|Could not fetch URL")


def folder() -> Path:
    """Where it is kept: beside what else can be fetched again."""
    return Path(settings.BASE_DIR, "var", "peers-venv")


def existing() -> Path | None:
    """Its Python, or None where it has not been made."""
    python = _python(folder())
    return python if python.exists() else None


def named(path: Path) -> Path:
    """The Python of an environment that the user keeps; raises InvalidBenchmark where there is none."""
    if path.is_file() and os.access(path, os.X_OK):
        return path.absolute()  # not resolved: a link is how a Python knows its environment
    expected = f"a Python that has the packages of {REQUIREMENTS.name}"
    raise InvalidBenchmark("--peers-python", expected, f"no program {shown(str(path))}")


def install(*, quiet: bool = False) -> tuple[Path, dict[str, str]]:
    """Make the environment, or bring it up to its list; its Python, and by package what could not be had.

    One package that cannot be built here keeps none of the others away; the next call tries it again.
    """
    place = folder()
    stamp, wanted = place / _STAMP, REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return _python(place), {}
    _create(place)
    pins = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    failed = {}
    for pin in track(pins, "Installing the peers", len(pins), quiet=quiet):
        command = [
            str(_python(place)),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--constraint",
            str(REQUIREMENTS),
            pin,
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            failed[re.split("[=<>]", pin)[0]] = _reason(done.stderr)
    if not failed:
        stamp.write_text(wanted, encoding="utf-8")
    return _python(place), failed


def _create(place: Path) -> None:
    command = [str(_python(place)), "-m", "pip", "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):  # not there, or half made
        shutil.rmtree(place, ignore_errors=True)
        try:
            subprocess.run(  # noqa: S603
                [sys.executable, "-m", "venv", str(place)], check=True, capture_output=True, text=True
            )
        except subprocess.CalledProcessError as error:
            raise InvalidBenchmark(
                "--peers",
                "a Python with its venv module",
                _reason(error.stderr or error.stdout),
                "Or name an environment of your own with --peers-python.",
            ) from error


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _reason(said: str) -> str:
    if _NO_CONNECTION.search(said):  # pip goes on to speak of conflicting versions
        return "the package index cannot be reached"
    lines = [line.strip() for line in said.splitlines() if line.strip().lower().startswith("error")]
    return lines[-1][:300] if lines else "pip failed"
