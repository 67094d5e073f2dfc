import json
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.errors import RegistryProblem
from prompts.keys import rotate_key
from prompts.models import ApiKey
from vectors import commands


class Command(commands.Command):
    help = (
        "Give an API key a new secret. It is printed once; the old one works for some hours more, one before "
        "that no longer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("public_key", metavar="PUBLIC_KEY", help="as create_api_key printed it: pk-afn-…")
        parser.add_argument(
            "--overlap-hours",
            type=int,
            default=24,
            help="how long the old secret works, 0 to 168 (default: 24)",
        )
        parser.add_argument("--json", action="store_true", help="print both parts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        public_key = options["public_key"]
        key = ApiKey.objects.select_related("user").filter(public_key=public_key).first()
        if key is None:
            raise CommandError(f"PUBLIC_KEY: expected the public part of a key, got {public_key[:80]!r}.")
        try:
            secret = rotate_key(key, overlap=timedelta(hours=options["overlap_hours"]))
        except (RegistryProblem, OverflowError) as error:
            raise CommandError(str(error)) from error
        until = key.previous_until.isoformat(timespec="seconds") if key.previous_until else None
        if options["json"]:
            made = {"public_key": key.public_key, "secret_key": secret, "previous_until": until}
            self.stdout.write(json.dumps(made))
        else:
            self.stdout.write(f"Public key: {key.public_key}\nSecret key: {secret}")
            self.stdout.write(
                f"The secret before works until {until}." if until else "The one before works no more."
            )
