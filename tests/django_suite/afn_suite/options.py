"""The command line of `run`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .process import SUITE_FOLDER

STOCK = "django.db.backends.sqlite3"
ENGINE = "afn_project.libsql"


def parse(description: str) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=description,
        epilog="The default list of modules is in modules.txt; logs go into var/django_suite/logs/.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("modules", nargs="*", metavar="MODULE", help="modules of Django's suite (default: the list)")
    add("--all", action="store_true", help="run every module of the suite, not only the list")
    add("--engine", default=ENGINE, help="database engine under test (default: %(default)s)")
    add("--remote", action="store_true", help="run the engine against a libSQL server, started for it")
    add("--no-stock", action="store_true", help="skip stock sqlite3, and the checks against it")
    add("--ignore-declared", action="store_true", help="run declared tests too, to see which fail")
    add("--keep-going", action="store_true", help="run all modules after a failure; always so")
    add("--jobs", type=int, default=os.cpu_count(), help="processes at once (default: %(default)s)")
    add("--timeout", type=float, default=600, help="seconds for one module (default: %(default)g)")
    add("--lines", type=int, default=6, help="lines of each end of a traceback (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="also write the counts and the problems to FILE")
    return parser.parse_args()


def listed_modules() -> list[str]:
    """Return the modules of modules.txt."""
    lines = (SUITE_FOLDER / "modules.txt").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
