#!/usr/bin/env python
"""Django's command line for AFN."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["secure_env"]:
        # Without the settings: they are read from the files that it makes and mends.
        from afn_project.management.commands.secure_env import Command

        Command().run_from_argv(sys.argv)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")
    if sys.argv[1:2] == ["quickstart"] and not os.environ.get("SECRET_KEY"):
        # Before the settings are read: they do not start without a key.
        from afn_project import secret_key

        secret_key.ensure()
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from afn_project.libsql.errors import ServerError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, ServerError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))


if __name__ == "__main__":
    main()
