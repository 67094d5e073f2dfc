import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from prompts.keys import revoke_key
from prompts.models import ApiKey
from vectors import commands


class Command(commands.Command):
    help = (
        "End an API key for good: from now on it writes nothing, and after 3 seconds it reads nothing "
        "either. Its name and when it was used last stay on record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("public_key", metavar="PUBLIC_KEY", help="as create_api_key printed it: pk-afn-…")
        parser.add_argument("--json", action="store_true", help="print the key as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        public_key = options["public_key"]
        key = ApiKey.objects.filter(public_key=public_key).first()
        if key is None:
            raise CommandError(f"PUBLIC_KEY: expected the public part of a key, got {public_key[:80]!r}.")
        revoke_key(key)
        assert key.revoked_at is not None
        if options["json"]:
            revoked_at = key.revoked_at.isoformat(timespec="seconds")
            self.stdout.write(json.dumps({"public_key": key.public_key, "revoked_at": revoked_at}))
        else:
            self.stdout.write(f"{key.public_key} is revoked.")
