"""Make AFN's database on the libSQL server, then its tables. What is there already stays as it is."""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")


def main() -> None:
    django.setup()
    from ops.environments.base import EnvironmentProblem
    from ops.environments.current import get_provider

    try:
        provider = get_provider()
        if provider.current not in {environment.name for environment in provider.list()}:
            provider.create(provider.current)
    except EnvironmentProblem as error:
        sys.exit(str(error))
    call_command("init_db")


if __name__ == "__main__":
    main()
