import json
from typing import Any

from django.core.management.base import CommandParser

from ops.health import watching
from ops.health.states import Health, Status
from vectors import commands

_SIGNS = {Status.OK: "✓", Status.DEGRADED: "!", Status.DOWN: "✗", Status.DISABLED: "–"}
_CODES = {Status.OK: 0, Status.DEGRADED: 1, Status.DOWN: 2}


class Command(commands.Command):
    help = (
        "Look at everything that AFN stands on, now. Exit code 0 where all is well, 1 where something is not "
        "as it should be, 2 where requests cannot be answered as they should (AFN_READY_NEEDS)."
    )
    requires_system_checks: list[str] = []  # what is wrong is what it is to say

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the parts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        health = watching.look_now()
        if options["json"]:
            self.stdout.write(json.dumps(health.as_json(with_figures=True), ensure_ascii=False))
        else:
            self._show(health)
        if code := _CODES[health.status]:
            raise SystemExit(code)

    def _show(self, health: Health) -> None:
        width = max(len(part) for part in health.states)
        for part, state in health.states.items():
            self.stdout.write(f"{_SIGNS[state.status]} {part:<{width}}  {state.detail or state.status}")
