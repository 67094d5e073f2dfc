import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops import backup_benchmark
from vectors import commands
from vectors.benchmarking.commands import measured


class Command(commands.Command):
    help = (
        "Back up a large database while another process writes to it, drill the backup and restore it; print "
        "how long each takes, and how long the writer waited. On a temporary database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--items",
            type=int,
            default=100_000,
            help="vectors of 1,536 dimensions; 100,000 (the default) are a gigabyte",
        )
        parser.add_argument("--encrypt", action="store_true", help="with a key, as a company should")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        if not 100 <= options["items"] <= 10_000_000:
            raise CommandError(f"--items: expected 100 to 10,000,000, got {options['items']:,}.")
        with measured():
            report = backup_benchmark.run(
                items=options["items"], key=options["encrypt"], quiet=options["json"]
            )
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        backup, writers = report["backup"], report["writers"]
        self.stdout.write(
            f"{report['items']:,} vectors, {report['database_bytes'] / 1e6:,.0f} MB\n"
            f"backup   {backup['seconds']:>8.1f} s  {backup['megabytes_per_second']:,.0f} MB/s  "
            f"{backup['steps']}\n"
            f"drill    {report['drill_seconds']:>8.1f} s  {'proved' if report['drill_ok'] else 'FAILED'}\n"
            f"restore  {report['restore_seconds']:>8.1f} s"
        )
        for name, figures in writers.items():
            self.stdout.write(
                f"writes, {name.replace('_', ' '):<14} p50 {figures['p50_ms']:.2f} ms  "
                f"p99 {figures['p99_ms']:.2f} ms  longest {figures['longest_ms']:.0f} ms  "
                f"waited {figures['waited_ms']:.0f} ms in all"
            )
