"""Prove a backup: restore it beside the live database, compare all of it, and remove it again."""

from typing import Any

from django.core.management.base import CommandParser

from ops.backups.catalogue import fetch, newest
from ops.backups.drilling import drill
from ops.environments.current import get_provider

from ._backups import BackupCommand, Steps


class Command(BackupCommand):
    help = (
        "Restore a backup into an environment of its own, compare the rows, their hashes and what searches "
        "find with what the backup says, and delete the environment. Exit code 1 if anything differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", help="path of a backup, or its name in AFN_BACKUPS_DIR (default: the newest)"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        provider = get_provider()
        with Steps(quiet=options["json"]) as steps:
            file = fetch(options["file"], steps) if options["file"] else newest(provider.current, steps)
            found = drill(provider, file, progress=steps)
        if options["json"]:
            self.print_json(found.as_json())
        else:
            for note in found.notes:
                self.stdout.write(self.style.WARNING(f"Note: {note}"))
            for problem in found.proof.problems:
                self.stdout.write(self.style.ERROR(f"Problem: {problem}"))
            proof = found.proof
            if found.ok:
                self.stdout.write(
                    self.style.SUCCESS(
                        f"{file.name} is proved: {proof.counts} tables with {proof.rows:,} rows and "
                        f"{proof.probes} searches are as they were backed up. A restore takes about "
                        f"{found.seconds:.1f} s."
                    )
                )
            else:
                self.stdout.write(
                    self.style.ERROR(f"{file.name} cannot be relied on. Make another backup now.")
                )
        if not found.ok:
            raise SystemExit(1)
