import json
import signal
import threading
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ops.realtime.events import Event
from ops.realtime.feed import Feed
from ops.realtime.history import History
from ops.realtime.kinds import Filter
from ops.realtime.publishing import RESET
from prompts.serving import shared
from vectors import commands

_SECONDS = 10.0


class Command(commands.Command):
    help = "Print events as they happen, of all processes, until Ctrl-C. It takes a Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--kinds", default="*", help="such as prompt.created,label.*,job.failed (default: all)"
        )
        parser.add_argument("--json", action="store_true", help="a line of JSON for each event")
        parser.add_argument("--count", type=int, help="stop after so many")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = Filter.read(options["kinds"].split(","))
        except ValueError as error:
            raise CommandError(f"--{error}") from error
        if (count := options["count"]) is not None and count < 1:
            raise CommandError(f"--count: expected 1 or more, got {count}.")
        if not shared.is_configured():
            raise CommandError(
                "Without Redis events stay in the process in which they happen: expected REDIS_URL. "
                "/events of the web server has those of its own process (docs/realtime.md)."
            )
        self._watch(wanted, options["json"], count)

    def _watch(self, wanted: Filter, as_json: bool, count: int | None) -> None:
        history, new = History(), threading.Event()
        history.on_new(new.set)
        feed = Feed(history)
        feed.start()
        if not feed.is_ready.wait(_SECONDS):
            raise CommandError("Redis does not answer: `manage.py check_redis` says why.")
        _, position = history.end()
        self.stderr.write("Waiting for events; stop with Ctrl-C.")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        left = count
        try:
            while left is None or left > 0:
                new.wait(1.0)
                new.clear()
                events = history.read(position, 1_000)
                if events is None:
                    self.stderr.write("Redis was away: some events may be missing.")
                    _, position = history.end()
                    continue
                position += len(events)
                for event in events:
                    if event.kind == RESET:
                        self.stderr.write("Some events are missing.")
                    elif event.kind and wanted.wants(event.kind) and (left is None or left > 0):
                        self.stdout.write(event.text if as_json else _line(event))
                        left = left and left - 1
                self.stdout.flush()
        except KeyboardInterrupt:
            return
        finally:
            feed.stop()


def _line(event: Event) -> str:
    body = json.loads(event.body)
    facts = (f"{name}={_short(value)}" for name, value in body["data"].items() if value is not None)
    return f"{body['at'][11:19]}  {event.kind:<20}  {'  '.join(facts)}"


def _short(value: Any) -> str:
    """Of a thing its name; nothing that moves the cursor of a terminal."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("id") or value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)[:120]
