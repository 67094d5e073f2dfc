"""AFN's commands in processes of their own, with an environment that says nothing but what a test says."""

import os
import subprocess
import sys

from afn_project.env import BASE_DIR, REFUSED, Env

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what AFN reads, and with these variables."""
    own = {name.upper() for name in (*Env.model_fields, *REFUSED)} | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in own} | variables


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a SECRET_KEY is given."""
    return subprocess.run(
        [*MANAGE, *arguments],
        env=clean_environment(SECRET_KEY="k" * 50, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
