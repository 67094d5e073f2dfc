"""A checkout of AFN for tests of the files beside `manage.py`: its own wiring, the rest as links."""

import shutil
import subprocess
import sys
from pathlib import Path

from afn_project.env import BASE_DIR
from tests.processes import clean_environment

LINKED = ("ops", "prompts", "vectors", "templates")


def make_checkout(folder: Path) -> Path:
    shutil.copytree(
        BASE_DIR / "afn_project", folder / "afn_project", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(BASE_DIR / "manage.py", folder)
    for name in LINKED:
        (folder / name).symlink_to(BASE_DIR / name)
    return folder


def run(
    checkout: Path, *arguments: str, stdin: int = subprocess.DEVNULL, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A command of that checkout, where nothing but these variables is set; its database is in memory."""
    return _run(checkout, [str(checkout / "manage.py"), *arguments], variables, stdin)


def start(checkout: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Print two of the settings."""
    code = "from afn_project import settings; print(settings.SECRET_KEY, settings.env.log_level)"
    return _run(checkout, ["-c", code], variables)


def _run(
    checkout: Path, arguments: list[str], variables: dict[str, str], stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=clean_environment(AFN_DATABASE_FILE=":memory:", **variables),
        cwd=checkout,
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
