import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.faults import results, running
from vectors import commands
from vectors.benchmarking.commands import measured


class Command(commands.Command):
    help = (
        "Kill, stop and confuse what AFN stands on, in a temporary folder with servers of its own, and count "
        "what is lost, doubled or late. Exit code 1 where a target is missed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = list(running.SCENARIOS)
        parser.add_argument(
            "scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(names)}; none: all"
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="by which moments and victims are chosen (default: 1)"
        )
        parser.add_argument("--rounds", type=int, help="faults of each scenario (default: its own number)")
        parser.add_argument(
            "--seconds",
            type=float,
            default=running.DEFAULT_SECONDS,
            help="for which Redis is down (default: 10)",
        )
        parser.add_argument("--json", action="store_true", help="print the results as JSON, no progress")

    def handle(self, *args: object, **options: Any) -> None:
        names = options["scenarios"] or list(running.SCENARIOS)
        if unknown := sorted(set(names) - running.SCENARIOS.keys()):
            known = ", ".join(running.SCENARIOS)
            raise CommandError(f"SCENARIO: expected some of {known}, got {', '.join(unknown)}.")
        if options["rounds"] is not None and not 1 <= options["rounds"] <= 10_000:
            raise CommandError(f"--rounds: expected 1 to 10,000, got {options['rounds']:,}.")
        if not 1 <= options["seconds"] <= 3_600:
            raise CommandError(f"--seconds: expected 1 to 3,600, got {options['seconds']:g}.")
        found = []
        with measured():
            for name in names:
                found.append(self._run(name, options))
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        if any(one["ok"] is False for one in found):
            raise SystemExit(1)

    def _run(self, name: str, options: dict[str, Any]) -> dict[str, Any]:
        one = running.run(
            name,
            seed=options["seed"],
            rounds=options["rounds"],
            seconds=options["seconds"],
            quiet=options["json"],
        )
        if not options["json"]:
            self.stdout.write("\n".join(results.as_lines(one)))
        return one
