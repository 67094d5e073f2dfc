"""Make the key that encrypts backups."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ops.backups.keys import make_key

from ._backups import BackupCommand


class Command(BackupCommand):
    help = (
        "Write a new age identity to a file for its owner alone, and print the public key that belongs to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write it; there must be no such file yet")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        public = make_key(options["file"])
        if options["json"]:
            self.print_json({"path": str(options["file"]), "public_key": public})
            return
        self.stdout.write(f"Public key: {public}")
        self.stdout.write(
            f"Set AFN_BACKUP_KEY to the line of {options['file']} that begins with AGE-SECRET-KEY, and keep "
            "a copy away from this machine: without it no backup that is made from now on can be opened."
        )
