import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from ops.monitoring.processes import emptied
from ops.setup import init_database, seed
from prompts.accounts import ensure_superuser
from prompts.models import Prompt
from vectors import commands
from vectors.progress import track

HOST = "127.0.0.1"  # this machine only: the API is readable without a key here
SAMPLE_QUERY = "rewrite my resume for a job"


class Command(commands.Command):
    help = (
        "From nothing to a running registry: tables, a superuser (password printed once), sample prompts, "
        "a first search, then the server on this machine. Running it again keeps what is there."
    )
    requires_system_checks: list[str] = []  # `migrate` runs them, once there is something to check

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-server", action="store_true", help="stop before the server")
        parser.add_argument("--port", type=int, default=8000, help="port of the server (default: 8000)")
        parser.add_argument("--username", default="admin", help="of the superuser (default: admin)")
        parser.add_argument("--email", default="admin@example.com", help="of the superuser")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["no_server"]:
            _check_port(options["port"])
        self._step("Tables")
        init_database(verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        user, password = ensure_superuser(options["username"], options["email"])
        if password:  # at once: what follows may fail, and it is kept nowhere
            self.stdout.write(f"Log in as {user.username} with the password {password}")
            self.stdout.write("It is shown only now. Change it in the console.")
        else:
            self.stdout.write(f"Log in as {user.username}, as before (lost? `manage.py changepassword`).")
        self._step("Sample prompts")
        if count := Prompt.objects.count():
            self.stdout.write(f"{count} prompts are there already.")
        else:
            result = seed(track=lambda rows, label: track(rows, label, len(rows)))
            self.stdout.write(f"{result.created} imported.")
        self._step(f"Search: {SAMPLE_QUERY}")
        call_command("search", SAMPLE_QUERY, k=3, stdout=self.stdout)
        self._step("Ready")
        if options["no_server"]:
            self.stdout.write("Start the server with `make run`, or `manage.py quickstart`.")
        else:
            self._serve(options["port"])

    def _step(self, title: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))

    def _serve(self, port: int) -> None:
        self.stdout.write(
            f"Console http://{HOST}:{port}/ · API http://{HOST}:{port}/api/v1/docs · stop with Ctrl-C"
        )
        self.stdout.flush()
        public = {} if settings.AFN_PUBLIC_READ_IS_SET else {"AFN_PUBLIC_READ": "1"}
        figures = emptied(settings.AFN_RUN_DIR / f"metrics-{port}")  # one for each server of this folder
        environment = {**os.environ, **figures, **public}
        arguments = ["--interface", "asgi", "--host", HOST, "--port", str(port)]
        # Now and then a worker that got Ctrl-C from the terminal and from its parent does not end by itself.
        arguments += ["--respawn-failed-workers", "--workers-kill-timeout", "3"]
        command = [sys.executable, "-m", "granian", *arguments, "afn_project.asgi:application"]
        # The server takes the place of this process, so that signals reach it directly.
        os.execve(sys.executable, command, environment)  # noqa: S606


def _check_port(port: int) -> None:
    if not 1 <= port <= 65_535:
        raise CommandError(f"--port: expected a number from 1 to 65535, got {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"--port: {port} cannot be used on {HOST} ({error}). Name another, such as --port 8001."
            ) from error
