"""The Redis that all processes share, if there is one: never waited for twice while it is down."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from django.core.cache import caches
from redis.exceptions import RedisError

from .circuit import Circuit

logger = logging.getLogger(__name__)
circuit: Final = Circuit()


class Unavailable(Exception):
    """There is no Redis, or it does not answer now."""


@cache
def _client() -> Any:
    backend = caches["default"]
    return backend.client.get_client(write=True) if hasattr(backend, "client") else None


def is_configured() -> bool:
    return _client() is not None


def call(command: str, *arguments: Any) -> Any:
    """The answer of a Redis command. Raises ``Unavailable``."""
    return _ask(lambda client: client.execute_command(command, *arguments))


def count(name: str, seconds: int) -> int:
    """Add one to a count, which is forgotten `seconds` after the last time. Raises ``Unavailable``."""
    return int(_ask(lambda client: _count(client, name, seconds))[0])


def _count(client: Any, name: str, seconds: int) -> Any:
    return client.pipeline(transaction=False).incr(name).expire(name, seconds).execute()


def _ask(ask: Callable[[Any], Any]) -> Any:
    client = _client()
    if client is None or not circuit.may_try():
        raise Unavailable
    try:
        answer = ask(client)
    except (RedisError, OSError) as error:
        if not circuit.is_open:
            logger.warning("Redis does not answer, serving goes on without it: %s", type(error).__name__)
        circuit.failed()
        raise Unavailable from error
    if circuit.is_open:
        logger.warning("Redis answers again.")
        circuit.worked()
    return answer


def forget() -> None:
    """For tests, and after a fork: clients are made anew."""
    _client.cache_clear()
    circuit.worked()
