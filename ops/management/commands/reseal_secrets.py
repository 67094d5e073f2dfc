import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from ops.webhooks.resealing import reseal
from vectors import commands


class Command(commands.Command):
    help = (
        "After a change of SECRET_KEY, with the former one in SECRET_KEY_FALLBACKS: encrypt the addresses "
        "and secrets of webhooks and alert channels anew. Exit code 1 where no key opens one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help='print {"rows": …, "unreadable": {…}}')

    def handle(self, *args: Any, **options: Any) -> None:
        done = reseal()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
        else:
            self.stdout.write(
                f"{done.rows} webhooks and channels are sealed with SECRET_KEY. Take the former ones out of "
                "SECRET_KEY_FALLBACKS, and restart."
            )
        for kind, count in done.unreadable.items():
            self.stderr.write(
                f"{count} × {kind}: no key opens it. Put the one it was made with into SECRET_KEY_FALLBACKS "
                "and run this again, or enter its address anew."
            )
        if done.unreadable:
            raise SystemExit(1)
