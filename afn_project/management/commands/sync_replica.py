"""Keep the local copy of the server's database up to date."""

import faulthandler
import json
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from afn_project.libsql.dsn import parse_name
from afn_project.libsql.sync import Syncer, SyncStatus, read_status
from vectors import commands

LONGEST_PAUSE = 60.0  # seconds between two tries while the server is out of reach


class Command(commands.Command):
    help = "Keep AFN_REPLICA_FILE a copy of the server's database (TURSO_SYNC_URL). Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval", type=float, default=1.0, help="seconds between two copies (default: 1)"
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=60.0,
            help="seconds without an answer after which it ends (default: 60)",
        )
        parser.add_argument("--once", action="store_true", help="copy once and end")
        parser.add_argument("--status", action="store_true", help="only tell how current the copy is")
        parser.add_argument("--json", action="store_true", help="print the newest copy's times as JSON")

    def handle(self, *args: object, **options: Any) -> None:
        file = _replica_file()
        if not options["interval"] >= 0.05:  # nan too
            raise CommandError(f"--interval: expected 0.05 seconds or more, got {options['interval']:g}.")
        if not options["patience"] >= 1:
            raise CommandError(f"--patience: expected 1 second or more, got {options['patience']:g}.")
        if options["status"]:
            self._show(read_status(file), as_json=options["json"])
            return
        default = connections["default"]
        parameters = default.get_connection_params()
        with Syncer(file, parse_name(parameters["database"]), parameters["auth_token"]) as syncer:
            if options["once"]:
                with _ending_after(options["patience"]):
                    status = syncer.sync()
                self._show(status, as_json=options["json"])
            else:
                self._follow(syncer, options["interval"], options["patience"])

    def _follow(self, syncer: Syncer, interval: float, patience: float) -> None:
        is_over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: is_over.set())
        self.stdout.write(f"Copying to {syncer.file.name} every {interval:g} s. Ctrl-C ends it.")
        pause = interval
        while not is_over.is_set():
            try:
                with _ending_after(patience):
                    syncer.sync()
            except OperationalError as error:
                if pause == interval:
                    self.stderr.write(f"The server cannot be copied now, and is tried again: {error}")
                pause = min(max(pause * 2, 1.0), LONGEST_PAUSE)
            else:
                if pause != interval:
                    self.stderr.write("The server can be copied again.")
                pause = interval
            is_over.wait(pause)

    def _show(self, status: SyncStatus | None, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(status and asdict(status) | {"lag": round(status.lag, 3)}))
        elif status is None:
            self.stdout.write("There is no copy yet. `manage.py sync_replica` makes it.")
        else:
            self.stdout.write(f"The copy is at most {status.lag:.1f} s behind.")


@contextmanager
def _ending_after(seconds: float) -> Iterator[None]:
    """End this process with status 1 where the block takes longer, and print where it hung.

    The binding waits for a silent server without end, with the interpreter locked: no exception, signal
    handler or thread of ours would run. Whoever started the process starts it again.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _replica_file() -> Path:
    name = connections.databases.get("replica", {}).get("NAME", "")
    if not str(name).startswith("file:"):
        raise CommandError("TURSO_SYNC_URL is not set: there is no server whose database is to be copied.")
    return parse_name(name).file
