import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.slow_queries.reading import Group, groups
from ops.slow_queries.redis_log import NotReadable, SlowCommand, read_log
from ops.slow_queries.schemas import MAX_LIMIT, SlowQueryOut
from vectors import commands


class Command(commands.Command):
    help = (
        "Print the statements that took longer than AFN_SLOW_QUERY_SECONDS, with plans, the most costly "
        "first; or what took long in Redis."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=20, help="statements at most (default: 20)")
        parser.add_argument("--redis", action="store_true", help="print Redis's SLOWLOG, without values")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["limit"]
        if not 1 <= limit <= MAX_LIMIT:
            raise CommandError(f"--limit: expected 1 to {MAX_LIMIT}, got {limit}.")
        if options["redis"]:
            lines = [_redis_json(one) if options["json"] else _redis_text(one) for one in _read_redis(limit)]
        else:
            lines = [_as_json(one) if options["json"] else _as_text(one) for one in groups(limit)]
        for line in lines:
            self.stdout.write(line)
        if not lines and not options["json"]:
            self.stdout.write("Nothing that took so long is kept.")


def _as_json(group: Group) -> str:
    return json.dumps(SlowQueryOut.of(group).model_dump(mode="json"), ensure_ascii=False)


def _as_text(group: Group) -> str:
    latest = group.latest
    facts = [
        group.fingerprint, f"{group.count}×", f"p50 {group.p50:.2f} s", f"max {group.longest:.2f} s",
        f"last {latest.created_at:%Y-%m-%d %H:%M:%S}", latest.place, latest.caller,
    ]  # fmt: skip
    lines = ["  ".join(fact for fact in facts if fact), f"  {latest.sql}"]
    return "\n".join([*lines, *(f"  → {line}" for line in latest.plan.splitlines())])


def _read_redis(limit: int) -> list[SlowCommand]:
    try:
        return read_log(limit)
    except NotReadable as reason:
        raise CommandError(str(reason)) from reason


def _redis_json(one: SlowCommand) -> str:
    return json.dumps(asdict(one) | {"moment": one.moment.isoformat()}, ensure_ascii=False)


def _redis_text(one: SlowCommand) -> str:
    return "  ".join(
        [f"{one.moment:%Y-%m-%d %H:%M:%S}", f"{one.milliseconds:.1f} ms", one.command, *one.keys, one.server]
    )
