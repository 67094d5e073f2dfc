"""Put a backup into the place of the live database, or into a file of its own."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.backups.catalogue import fetch
from ops.backups.restoring import Restored, restore, restore_into, restore_redis_into
from ops.backups.unpacking import read_about
from ops.environments.current import get_provider

from ._backups import BackupCommand, Steps


class Command(BackupCommand):
    help = (
        "Check a backup, restore it beside the live database, compare all of it, and then let the two change "
        "places. What was there is kept as an environment."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of a backup, or its name in AFN_BACKUPS_DIR")
        parser.add_argument(
            "--into", metavar="PATH", type=Path, help="make this file of it, touch nothing else"
        )
        parser.add_argument(
            "--redis-into",
            metavar="PATH",
            type=Path,
            help="write what Redis held to this file, touch nothing else",
        )
        parser.add_argument("--migrate", action="store_true", help="run migrations that the backup lacks")
        parser.add_argument("--yes", "--no-input", action="store_true", help="do not ask")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        provider = get_provider()
        with Steps(quiet=options["json"]) as steps:
            file = fetch(options["file"], steps)
        if options["redis_into"] is not None:
            self._write_redis(file, options["redis_into"], as_json=options["json"])
            return
        into: Path | None = options["into"]
        if into is None:
            self._ask(provider.current, file, options)
        with Steps(quiet=options["json"]) as steps:
            if into is not None:
                done = restore_into(provider, file, into, progress=steps)
            else:
                done = restore(provider, file, migrate=options["migrate"], progress=steps)
        if options["json"]:
            self.print_json(done.as_json())
            return
        self._print(done)

    def _write_redis(self, file: Path, target: Path, *, as_json: bool) -> None:
        size = restore_redis_into(file, target)
        if as_json:
            self.print_json({"path": str(target), "bytes": size})
        else:
            self.stdout.write(
                self.style.SUCCESS(f"{target} is made.")
                + " Redis loads it as its dump.rdb when it starts without an append-only file."
            )

    def _ask(self, environment: str, file: Path, options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        about = read_about(file)
        # Beside what a program reads.
        say = self.stderr.write if options["json"] else self.stdout.write
        say(
            f"{environment} becomes what {about.environment} was at {about.created_at:%Y-%m-%d %H:%M} UTC. "
            "What was written since then goes to an environment that is kept beside it."
        )
        say(f"Type {environment} to go on: ", ending="")
        try:
            answer = input("")
        except EOFError:
            raise CommandError("Nobody answers: add --yes where nobody is there to be asked.") from None
        if answer.strip() != environment:
            raise CommandError("Nothing was changed.")

    def _print(self, done: Restored) -> None:
        proof = done.proof
        held = (
            f"{proof.counts} tables with {proof.rows:,} rows and {proof.probes} searches are as they were "
            "backed up"
        )
        for note in done.notes:
            self.stdout.write(self.style.WARNING(f"Note: {note}"))
        if done.path is not None:
            self.stdout.write(self.style.SUCCESS(f"{done.path} is made: {held}."))
            return
        self.stdout.write(self.style.SUCCESS(f"{done.environment} is restored: {held}."))
        if done.kept:
            self.stdout.write(f"What it was is kept: {done.kept}.")
        if reason := get_provider().get(done.environment).frozen:
            self.stdout.write(
                self.style.WARNING(f"It is still frozen ({reason}).")
                + f" `manage.py environments unfreeze {done.environment}` lets people write again."
            )
