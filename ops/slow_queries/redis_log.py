"""What took long in Redis, as its SLOWLOG has it: names of commands and beginnings of keys, never a value.

The log itself holds the beginnings of values, so that AFN's own user of Redis may not read it; `monitor` may
(docs/redis.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.retry import Retry

_TIMEOUT: Final = 0.5  # seconds
_COMMAND: Final = re.compile(r"[A-Za-z0-9._|-]{1,40}")
_PART: Final = re.compile(r"[A-Za-z0-9._{}-]{1,40}")
# By what stands in the place of keys. All others show none.
_ALL_KEYS: Final = {"MGET", "DEL", "UNLINK", "EXISTS", "WATCH"}
_ALL_BUT_LAST: Final = {"BRPOP", "BLPOP"}
_COUNTED: Final = {"EVAL", "EVALSHA"}
_FIRST: Final = {
    "GET", "SET", "SETEX", "PSETEX", "SETNX", "EXPIRE", "PEXPIRE", "PERSIST", "TTL", "PTTL", "INCR",
    "INCRBY", "DECRBY",
    "LPUSH", "RPUSH", "LPOP", "RPOP", "LLEN", "LRANGE", "SADD", "SREM", "SMEMBERS", "ZADD", "ZREM", "ZRANGE",
    "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "HSET", "HGET", "HDEL", "HGETALL", "TYPE", "DUMP",
}  # fmt: skip


class NotReadable(Exception):
    """Why there is nothing to show, and what to do."""


@dataclass(frozen=True, slots=True)
class SlowCommand:
    moment: datetime
    milliseconds: float
    command: str
    keys: tuple[str, ...]
    server: str


def read_log(limit: int = 50) -> list[SlowCommand]:
    """Of the cache's server and the queue's, the newest first. Raises ``NotReadable``."""
    if not settings.REDIS_URL:
        raise NotReadable("There is no Redis: expected REDIS_URL.")
    servers = {_address(url): url for url in (settings.CELERY_BROKER_URL, settings.REDIS_URL)}
    found = [one for address, url in servers.items() for one in _read(address, url, limit)]
    return sorted(found, key=lambda one: one.moment, reverse=True)[:limit]


def _read(address: str, url: str, limit: int) -> list[SlowCommand]:
    options = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
    try:
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options) as client:
            # As two words: redis-py would join the arguments of an entry to one text.
            entries: Any = client.execute_command("SLOWLOG", "GET", limit)
    except NoPermissionError as error:
        raise NotReadable(
            f"The user of {address} may not read SLOWLOG. Run `manage.py slow_queries --redis` with "
            "REDIS_URL=redis://monitor@… and REDIS_PASSWORD=$REDIS_MONITOR_PASSWORD."
        ) from error
    except AuthenticationError as error:
        raise NotReadable(f"{address} refuses the user or the password.") from error
    except (RedisError, OSError, ValueError) as error:  # whose text may quote the address
        raise NotReadable(f"{address} does not answer ({type(error).__name__}).") from error
    return [_entry(address, entry) for entry in entries]


def _entry(address: str, entry: Sequence[Any]) -> SlowCommand:
    _, seconds, microseconds, arguments, *_rest = entry
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in arguments]
    name = texts[0].upper() if texts and _COMMAND.fullmatch(texts[0]) else "?"
    return SlowCommand(
        moment=datetime.fromtimestamp(int(seconds), UTC),
        milliseconds=int(microseconds) / 1_000,
        command=name,
        keys=tuple(dict.fromkeys(map(_prefix, _keys(name, texts[1:])))),
        server=address,
    )


def _keys(name: str, arguments: list[str]) -> list[str]:
    if name in _FIRST:
        return arguments[:1]
    if name in _ALL_KEYS:
        # Redis writes in the place of too many arguments how many there were.
        return [one for one in arguments if not one.startswith("... (")]
    if name in _ALL_BUT_LAST:
        return arguments[:-1]
    if name in _COUNTED and len(arguments) > 1 and arguments[1].isdigit():
        return arguments[2 : 2 + int(arguments[1])]
    return []


def _prefix(key: str) -> str:
    """`afn:rate:…` of a longer one: the rest may be anybody's."""
    parts = key.split(":")
    if not _PART.fullmatch(parts[0]):
        return "…"
    if len(parts) == 1:
        return parts[0]
    return f"{parts[0]}:{parts[1]}:…" if len(parts) > 2 and _PART.fullmatch(parts[1]) else f"{parts[0]}:…"


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"
