"""Try the pending migrations on a fork of the live database, and only then run them."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.environments.base import EnvironmentProblem
from ops.environments.current import get_provider
from ops.rehearsal import Rehearsal, apply, rehearse
from vectors import commands


class Command(commands.Command):
    help = (
        "Fork the live database, run the pending migrations there, compare rows, references and searches, "
        "and delete the fork. Exit code 1 if something is lost or broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="then back up and migrate the live database")
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="TABLE",
            help="table that may lose rows or change",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON, no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(step: str) -> None:
            if not options["json"]:
                self.stderr.write(f"{step} …")

        report = Rehearsal([])
        try:
            with _interruptible():
                provider = get_provider()
                report = rehearse(provider, expected=options["expect"], progress=progress)
                if options["apply"] and report.pending and report.passed:
                    apply(provider, report, progress=progress)
        except EnvironmentProblem as error:
            raise CommandError(f"{error}{_backup_of(report)}") from error
        except KeyboardInterrupt:
            live = "may be half migrated" if report.backup else "is as it was"
            raise CommandError(
                f"Interrupted. The live database {live}.{_backup_of(report)}", returncode=130
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._print(report, was_asked_to_apply=options["apply"])
        if not report.passed:
            raise SystemExit(1)

    def _print(self, report: Rehearsal, *, was_asked_to_apply: bool) -> None:
        write, style = self.stdout.write, self.style
        if not report.pending:
            self._print_warnings(report)
            write("No migrations are pending.")
            return
        for name, seconds in report.migrations.items():
            write(f"{name:<60} {seconds:>8.3f} s")
        write(f"{'in all':<60} {report.seconds:>8.3f} s")
        for table in report.tables:
            before, after = _count(table.rows_before), _count(table.rows_after)
            changed = f", values changed: {', '.join(table.changed)}" if table.changed else ""
            write(f"{table.name}: {before} → {after} rows{changed}")
        if report.probes:
            write(f"{report.probes_kept} of {report.probes} probe searches find what they should.")
        self._print_warnings(report)
        for problem in report.problems:
            write(style.ERROR(f"Problem: {problem}"))
        if report.backup:
            done = "is migrated" if report.applied else "may be half migrated"
            write(f"The live database {done}. As it was before, it is in {report.backup}.")
        if not report.passed:
            write(style.ERROR("Look at it now." if report.backup else "Not fit for the live database."))
        elif not was_asked_to_apply:
            write(style.SUCCESS("Nothing was lost. --apply runs them on the live database, after a backup."))

    def _print_warnings(self, report: Rehearsal) -> None:
        for warning in report.warnings:
            self.stdout.write(self.style.WARNING(f"Note: {warning}"))


def _count(rows: int | None) -> str:
    return "none" if rows is None else f"{rows:,}"


def _backup_of(report: Rehearsal) -> str:
    return f" As it was before, it is in {report.backup}." if report.backup else ""


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM, which CI and containers send first, ends the block as Ctrl-C does: nothing is left behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
