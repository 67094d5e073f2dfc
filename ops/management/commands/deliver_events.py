import json
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from ops.background import is_in_memory
from ops.outbox.sweeping import THREADS, Swept, sweep
from vectors import commands


def _threads() -> int:
    """A database in memory is that of its connection: another thread would see none."""
    return 1 if is_in_memory() else THREADS


class Command(commands.Command):
    help = (
        "Tell webhooks what still waits, such as after Redis was down: once (for cron), or with --watch for "
        "ever. It sends by itself, with and without Redis and workers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch", type=float, metavar="SECONDS", help="go on, and look so often: 1 to 3600"
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        pause = options["watch"]
        if pause is not None and not 1 <= pause <= 3600:
            raise CommandError(f"--watch: expected 1 to 3600 seconds, got {pause:g}.")
        if pause is None:
            self._show(sweep(_threads()), options)
        else:
            self._watch(pause, options)

    def _watch(self, pause: float, options: dict[str, Any]) -> None:
        try:
            while True:
                try:
                    swept = sweep(_threads())
                except DatabaseError as error:  # the next round may find it again
                    self.stderr.write(f"The database cannot be used: {error}")
                    swept = Swept()
                if swept != Swept():
                    self._show(swept, options)
                close_old_connections()
                time.sleep(pause)
        except KeyboardInterrupt:
            return

    def _show(self, swept: Swept, options: dict[str, Any]) -> None:
        if options["json"]:
            counts = {"relayed": swept.relayed, "delivered": swept.delivered, "failed": swept.failed}
            self.stdout.write(json.dumps(counts))
        else:
            done = f"{swept.delivered} deliveries arrived, {swept.failed} failed."
            self.stdout.write(f"{swept.relayed} events relayed, {done}")
