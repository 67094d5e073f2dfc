import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.redis.checking import OPERATIONS, check_all
from ops.redis.findings import Report
from vectors import commands

_SIGNS = {"ok": "✓", "warning": "!", "failure": "✗"}


class Command(commands.Command):
    help = (
        "See whether Redis is what AFN needs: connection, user, TLS, version, memory, what it gives up and "
        "keeps, clock, speed. Exit code 1 where something fails; warnings do not count. It leaves no keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--operations", type=int, default=OPERATIONS, help=f"to measure by (default: {OPERATIONS:,})"
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["operations"] <= 1_000_000:
            raise CommandError(f"--operations: expected 1 to 1000000, got {options['operations']}.")
        reports = check_all(operations=options["operations"])
        if not reports:
            raise CommandError(
                "There is no Redis to check: expected REDIS_URL. `manage.py init_redis_config` makes the "
                "files for one."
            )
        is_well = all(report.is_well for report in reports)
        if options["json"]:
            servers = [asdict(report) | {"is_well": report.is_well} for report in reports]
            self.stdout.write(json.dumps({"is_well": is_well, "servers": servers}, ensure_ascii=False))
        else:
            for report in reports:
                self._show(report)
        if not is_well:
            raise SystemExit(1)

    def _show(self, report: Report) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"{report.address} ({' and '.join(report.uses)})"))
        width = max(len(finding.name) for finding in report.findings)
        for finding in report.findings:
            self.stdout.write(f"{_SIGNS[finding.level]} {finding.name:<{width}}  {finding.text}")
            if finding.remedy:
                self.stdout.write(f"  {'':<{width}}  → {finding.remedy}")
