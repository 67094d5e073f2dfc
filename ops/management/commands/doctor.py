import json
import os
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from ops.doctor import bundle
from ops.doctor.areas import AREAS
from ops.doctor.examining import Case
from ops.doctor.findings import Finding, Report, Status
from ops.doctor.running import examine
from vectors import commands

_SIGNS: Final = {Status.OK: "✓", Status.WARNING: "!", Status.PROBLEM: "✗"}


class Command(commands.Command):
    help = (
        "Say what is wrong here, why that matters, and what mends it. Changes nothing, and works while the "
        "database or Redis is down. Exit code 1 where there is a problem; warnings do not count."
    )
    requires_system_checks: list[str] = []  # what they say is part of what it says

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", nargs="+", choices=AREAS, metavar="AREA", default=[], help=", ".join(AREAS)
        )
        parser.add_argument(
            "--deep",
            action="store_true",
            help="also read every row and vector, and ask services that may cost money",
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON, no progress")
        parser.add_argument(
            "--bundle",
            type=Path,
            metavar="FILE.zip",
            help="also write what a helper needs, without secrets and prompts",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["bundle"]:
            bundle.check_target(options["bundle"])
        case = Case(connections.databases[DEFAULT_DB_ALIAS], deep=options["deep"])
        if options["traceback"]:
            case.traced = self.stderr.write
        report = examine(case, options["only"], self._progress if self._shows_progress(options) else _silent)
        if options["bundle"]:
            path = bundle.write(options["bundle"], case, report)
            self.stderr.write(f"Written to {path}: read what is in it before you give it away.")
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._show(report)
        if not report.is_well:
            raise SystemExit(1)

    def _shows_progress(self, options: dict[str, Any]) -> bool:
        return not options["json"] and os.isatty(2)

    def _progress(self, name: str) -> None:
        self.stderr.write(f"\r\x1b[K{name} …\r", ending="")

    def _show(self, report: Report) -> None:
        if os.isatty(2):
            self.stderr.write("\r\x1b[K", ending="")
        area = ""
        for finding in report.findings:
            if finding.area != area:
                area = finding.area
                self.stdout.write(self.style.MIGRATE_HEADING(area))
            self._show_one(finding)
        problems, warnings = report.count(Status.PROBLEM), report.count(Status.WARNING)
        style = self.style.ERROR if problems else self.style.WARNING if warnings else self.style.SUCCESS
        self.stdout.write(style(f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}"))

    def _show_one(self, finding: Finding) -> None:
        styles = {
            Status.OK: self.style.SUCCESS,
            Status.WARNING: self.style.WARNING,
            Status.PROBLEM: self.style.ERROR,
        }
        style = styles[finding.status]
        self.stdout.write(f"{style(_SIGNS[finding.status])} {finding.name}: {finding.found}")
        if finding.cause:
            self.stdout.write(f"    {finding.cause}")
        if finding.remedy:
            self.stdout.write(f"  → {finding.remedy}")


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" + ("" if number == 1 else "s")


def _silent(name: str) -> None:
    return
