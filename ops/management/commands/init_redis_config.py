import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from ops.redis.certificates import CertificateProblem, Files
from ops.redis.config import ConfigProblem, Plan, write
from vectors import commands


class Command(commands.Command):
    help = (
        "Write the configuration of a Redis for AFN: users with least rights and random passwords, and TLS "
        "if asked for. The passwords go into one file that only this user can read, and are not printed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        folder = Path(settings.BASE_DIR, "var", "redis")
        parser.add_argument("--folder", type=Path, default=folder, help="for the files (default: var/redis)")
        parser.add_argument(
            "--host", default="127.0.0.1", help="under which AFN reaches it (default: 127.0.0.1)"
        )
        parser.add_argument("--port", type=int, default=6379, help="of Redis (default: 6379)")
        parser.add_argument(
            "--data-dir", type=Path, help="for the data of Redis (default: data in the folder)"
        )
        parser.add_argument("--tls", action="store_true", help="with a certificate made here")
        parser.add_argument("--tls-cert", type=Path, help="with this certificate, in PEM")
        parser.add_argument("--tls-key", type=Path, help="its key, without a password")
        parser.add_argument("--tls-ca", type=Path, help="the certificates of who signed it")
        parser.add_argument("--force", action="store_true", help="replace the files that are there")
        parser.add_argument("--json", action="store_true", help="print the paths as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(
            folder=options["folder"],
            host=options["host"],
            port=options["port"],
            data=options["data_dir"],
            tls=_files(options),
            makes_tls=options["tls"],
        )
        try:
            written = write(plan, force=options["force"])
        except (ConfigProblem, CertificateProblem) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            paths = {
                name: getattr(written, name) for name in ("config", "users", "connections", "certificate")
            }
            report = {name: str(path) if path else None for name, path in paths.items()}
            self.stdout.write(json.dumps({**report, "url": written.url}))
            return
        self.stdout.write(f"Written: {written.config}, {written.users.name}, {written.connections.name}")
        self.stdout.write(f"1. Copy the lines of {written.connections} into .env.")
        self.stdout.write(f"2. Start Redis: redis-server {written.config}")
        self.stdout.write("3. See that all is well: python manage.py check_redis")


def _files(options: dict[str, Any]) -> Files | None:
    names = ("tls_cert", "tls_key", "tls_ca")
    if not any(options[name] for name in names):
        return None
    if missing := [f"--{name.replace('_', '-')}" for name in names if not options[name]]:
        raise CommandError(
            f"Expected --tls-cert, --tls-key and --tls-ca together, got none of {', '.join(missing)}."
        )
    return Files(*(options[name] for name in names))
