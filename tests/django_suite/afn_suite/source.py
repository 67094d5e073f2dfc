"""Fetches the test suite that belongs to the installed Django."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import django


def fetch_suite(cache: Path) -> Path:
    """Return the `tests` folder of the installed Django's sdist, downloaded at most once into `cache`.

    The wheel leaves the tests out, and tests of another version fail for reasons of their own.
    """
    version = django.get_version()
    tests = cache / f"django-{version}" / "tests"
    if not (tests / "runtests.py").exists():
        cache.mkdir(parents=True, exist_ok=True)
        unpack(find_sdist(cache, version) or download_sdist(cache, version), cache)
    if not (tests / "runtests.py").exists():
        raise SystemExit(f"The sdist of Django {version} has no tests/runtests.py (expected {tests}).")
    return tests


def find_sdist(cache: Path, version: str) -> Path | None:
    """Return the archive of `version` that is in the cache already."""
    return next(iter(sorted(cache.glob(f"[Dd]jango-{version}.tar.gz"))), None)


def download_sdist(cache: Path, version: str) -> Path:
    """Download the sdist with pip, so that its index, proxy and hash settings apply."""
    options = ["--quiet", "--disable-pip-version-check", "--no-binary", ":all:", "--no-deps"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(cache), f"Django=={version}"]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"pip could not download the sdist of Django {version}; see its message above.")
    sdist = find_sdist(cache, version)
    if sdist is None:
        raise SystemExit(f"pip wrote no django-{version}.tar.gz into {cache}.")
    return sdist


def unpack(sdist: Path, cache: Path) -> None:
    """Unpack beside the archive; the "data" filter refuses names that leave the folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(cache, filter="data")


def all_modules(tests: Path) -> list[str]:
    """Return every test module of the suite but the GIS ones, which need a spatial database."""
    left_out = {"gis_tests", "import_error_package", "test_runner_apps"}
    packages = (init.parent for init in tests.glob("*/__init__.py") if init.parent.name not in left_out)
    return sorted(package.name for package in packages if next(package.rglob("test*.py"), None))
