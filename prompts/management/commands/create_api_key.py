import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.accounts import find_author
from prompts.models import ApiKey, Scope
from vectors import commands


class Command(commands.Command):
    help = "Make an API key. Its secret is printed once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="who uses it, to know what a revocation stops")
        parser.add_argument("--scopes", default="read", help="read, write or read,write (default: read)")
        parser.add_argument("--user", help="acts for: a user name or e-mail (default: the first superuser)")
        parser.add_argument("--json", action="store_true", help="print both parts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        if not scopes or not set(scopes) <= set(Scope.values):
            raise CommandError(
                f"--scopes: expected {' or '.join(Scope.values)}, or both separated by a comma, "
                f"got {options['scopes']!r}."
            )
        user, name = find_author(options["user"]), options["name"]
        if not name.strip() or len(name) > 255 or not name.isprintable():
            raise CommandError(f"--name: expected 1 to 255 printable characters, got {name[:80]!r}.")
        key, secret = ApiKey.issue(user, name, scopes)
        if Scope.WRITE in scopes and not key.user.has_perm("prompts.change_prompt"):
            self.stderr.write(
                f"{key.user} may not change prompts, so this key may not either: give that user the "
                "permissions in the console."
            )
        if options["json"]:
            self.stdout.write(json.dumps({"public_key": key.public_key, "secret_key": secret}))
        else:
            self.stdout.write(f"Public key: {key.public_key}\nSecret key: {secret}")
            self.stdout.write(
                "The secret is not stored: keep it now. It goes into `Authorization: Bearer …`; "
                "Langfuse's SDKs take both parts."
            )
