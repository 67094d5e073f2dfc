import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.console_benchmark import measuring
from vectors import commands
from vectors.benchmarking.commands import measured


class Command(commands.Command):
    help = (
        "Measure how fast the console's pages are on many prompts, by AFN's own server on a temporary "
        "database; with --browser, also what they weigh and when a browser has painted them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--prompts", type=int, default=100_000, help="prompts in the registry (default: 100,000)"
        )
        parser.add_argument("--rounds", type=int, default=30, help="requests of each page (default: 30)")
        parser.add_argument("--browser", action="store_true", help="look with Chromium; takes Playwright")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if not 1 <= options["prompts"] <= 1_000_000 or not 2 <= options["rounds"] <= 1_000:
            raise CommandError("Expected 1 to 1,000,000 --prompts and 2 to 1,000 --rounds.")
        with measured():
            report = measuring.run(
                prompts=options["prompts"],
                rounds=options["rounds"],
                with_browser=options["browser"],
                quiet=options["json"],
            )
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self._print(report)

    def _print(self, report: dict[str, Any]) -> None:
        self.stdout.write(f"{report['prompts']:,} prompts, as many versions, evaluations and audit lines")
        for one in report["pages"]:
            self.stdout.write(
                f"{one['name']:<20} p50 {one['p50_ms']:>6.1f} ms (target {one['target_ms']})  "
                f"p95 {one['p95_ms']:>6.1f} ms  page {one['kilobytes']:>5.1f} kB"
            )
        for one in report["browser"] or ():
            painted = one["largest_paint_ms"]
            self.stdout.write(
                f"{one['name']:<20} {one['kilobytes']:>6.0f} kB and fonts {one['fonts_kilobytes']:.0f} kB in "
                f"{one['requests']} requests  largest paint "
                f"{'unknown' if painted is None else f'{painted:.0f} ms'}  {one['errors']} errors"
            )
