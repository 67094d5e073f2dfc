"""The stream in Redis and its bell: adding events exactly once, and reading them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .events import ANCHOR, Event
from .history import MAX_EVENTS

KEY: Final = "afn:events"
_PAGE: Final = 500
_SENT_SECONDS: Final = 3_600
# KEYS: the stream, and how many of its events this sender has brought so far, by which a script that is sent
# twice, as after a time-out, adds nothing twice. ARGV: length, channel, seconds, number of the first, then a
# kind and a body for each. As all of the cache the stream expires, by when nobody goes on from it.
_ADD: Final = """
local sent = tonumber(redis.call('GET', KEYS[2]) or '-1')
local number = tonumber(ARGV[4])
for i = 5, #ARGV, 2 do
  if number > sent then
    local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'k', ARGV[i], 'b', ARGV[i + 1])
    redis.call('PUBLISH', ARGV[2], id .. ' ' .. ARGV[i] .. ' ' .. ARGV[i + 1])
  end
  number = number + 1
end
redis.call('SET', KEYS[2], number - 1, 'EX', ARGV[3])
redis.call('EXPIRE', KEYS[1], 86400)
"""


def channel() -> str:
    """With the number of the database, as channels belong to the whole server."""
    return f"{KEY}:{urlsplit(settings.REDIS_URL).path.strip('/') or '0'}"


def add(client: Redis, sender: str, number: int, events: Sequence[tuple[str, str]]) -> None:
    """Add kinds and bodies; `number` is that of the first among all that `sender` has."""
    keys = [KEY, f"{KEY}:sent:{sender}"]
    values = [MAX_EVENTS, channel(), _SENT_SECONDS, number, *(part for event in events for part in event)]
    client.eval(_ADD, len(keys), *keys, *map(str, values))


def connect() -> Redis:
    """A client of one's own: it may wait for long, and its failures say nothing about the cache."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2.0,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def first_and_last(client: Redis) -> tuple[Event, Event]:
    """Of what is kept; an empty stream gets its first entry."""
    commands: Any = client
    if not (newest := commands.xrevrange(KEY, "+", "-", count=1)):
        commands.xadd(KEY, {"k": ANCHOR, "b": "{}"})
        newest = commands.xrevrange(KEY, "+", "-", count=1)
    return _event(commands.xrange(KEY, "-", "+", count=1)[0]), _event(newest[0])


def read(client: Redis, after: str = "") -> Iterator[Event]:
    """All that is kept, or what came after an id, in pages."""
    commands: Any = client
    while page := commands.xrange(KEY, f"({after}" if after else "-", "+", count=_PAGE):
        yield from map(_event, page)
        after = page[-1][0]


def heard(message: str) -> Event:
    """What the bell says."""
    event_id, kind, body = message.split(" ", 2)
    return Event(event_id, kind, body)


def _event(entry: Any) -> Event:
    event_id, fields = entry
    return Event(event_id, fields["k"], fields["b"])
