import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ops.audit.models import AuditEntry
from ops.audit.reading import find
from ops.audit.schemas import AuditOut
from prompts.errors import RegistryProblem
from vectors import commands

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MAX_LIMIT = 1_000_000


class Command(commands.Command):
    help = "Print the audit log, the newest line first: who changed what, when and from where."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", help="a moment such as 2026-01-31T12:00, or how long ago: 30m, 24h, 7d"
        )
        parser.add_argument("--until", help="the same: only lines before it")
        parser.add_argument("--action", help="such as label.moved, or label.* for all that begin so")
        parser.add_argument("--object", help="id of an object, such as a prompt")
        parser.add_argument("--actor", help="id or name of a user")
        parser.add_argument("--source", help="api, console, command, langfuse, mcp or worker")
        parser.add_argument("--limit", type=int, default=100, help="lines at most (default: 100)")
        parser.add_argument("--json", action="store_true", help="one JSON object a line, with the changes")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["limit"] <= MAX_LIMIT:
            raise CommandError(f"--limit: expected 1 to {MAX_LIMIT:,}, got {options['limit']}.")
        try:
            rows = find(
                action=options["action"],
                object_id=options["object"],
                actor=options["actor"],
                source=options["source"],
                since=_moment("--since", options["since"]),
                until=_moment("--until", options["until"]),
            )
        except RegistryProblem as problem:
            raise CommandError(f"--{problem}") from problem
        limit = options["limit"]
        for number, entry in enumerate(rows[: limit + 1].iterator(chunk_size=1_000)):
            if number == limit:
                self.stderr.write(f"There are more than these {limit:,} lines: pass a greater --limit.")
            else:
                self.stdout.write(_as_json(entry) if options["json"] else _as_text(entry))


def _as_json(entry: AuditEntry) -> str:
    return json.dumps(AuditOut.from_orm(entry).model_dump(mode="json"), ensure_ascii=False)


def _as_text(entry: AuditEntry) -> str:
    who = entry.actor_name or "–"
    parts = [
        f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
        entry.action,
        entry.object_name,
        f"by {who}",
        entry.source,
    ]
    return "  ".join(part for part in (*parts, entry.address) if part)


def _moment(option: str, text: str | None) -> datetime | None:
    """A moment, in UTC where it says nothing else, or how long ago it was. Raises ``CommandError``."""
    if not text:
        return None
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isascii() and number.isdigit() and len(number) < 6:
        return timezone.now() - timedelta(**{_UNITS[unit]: int(number)})
    try:
        moment = parse_datetime(text if "T" in text or " " in text else f"{text}T00:00")
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{option}: expected 2026-01-31T12:00, 30m, 24h or 7d, got {text[:40]!r}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
