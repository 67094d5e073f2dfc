"""AFN's own web server for a measurement: on a database of its own, with a key to call it by."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.web_client import HOST, free_port, start, stop, wait_for

# What a program needs of this process's variables; all that AFN reads is left at its default.
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
_SHOWN: Final = 300


@contextmanager
def running_site(
    folder: Path, *, workers: int, threads: int = 1, **settings_of: str
) -> Iterator[tuple[int, str]]:
    """Run it on this machine with a new database in `folder`: its port, and a key that may do everything.

    `settings_of` are variables of AFN that differ from their defaults.
    """
    own = variables(folder, DJANGO_SUPERUSER_PASSWORD=secrets.token_urlsafe(24), **settings_of)
    manage(own, "migrate", "--verbosity", "0")
    manage(own, "createsuperuser", "--noinput", "--username", "benchmark", "--email", "b@example.org")
    key = manage(own, "create_api_key", "--name", "benchmark", "--scopes", "read,write", "--json")
    port = free_port()
    server = start(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
            *("--host", HOST, "--port", str(port), "--workers", str(workers)),
            *(
                "--blocking-threads",
                str(threads),
                "--workers-kill-timeout",
                "3",
                "afn_project.wsgi:application",
            ),
        ],
        own,
    )
    try:
        wait_for(server, port)
        yield port, json.loads(key)["secret_key"]
    finally:
        stop(server)


def variables(folder: Path, **settings_of: str) -> dict[str, str]:
    """Of a process of AFN with a database of its own in `folder`, all else at its default."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "PYTHONPATH": str(settings.BASE_DIR),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AFN_DATABASE_FILE": str(folder / "afn.db"),
        **settings_of,
    }


def manage(own: dict[str, str], *arguments: str) -> str:
    """What a command prints. Raises ``NotMeasured`` where it fails."""
    command = [sys.executable, "-m", "django", *arguments]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotMeasured(f"manage.py {arguments[0]}: {done.stderr.strip()[-_SHOWN:]}")
    return done.stdout
