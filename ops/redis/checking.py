"""Is this Redis what AFN needs? Asked of the real server, with the rights that AFN has there."""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from .figures import judge
from .findings import Report
from .speed import measure

OPERATIONS: Final = 1_000
_TIMEOUT: Final = 2.0  # seconds
_CLOCKS: Final = 1.0  # seconds by which they may differ
_CERTIFICATE: Final = 30  # days before its end
_RIGHTS: Final = "Give AFN's users the rights of `manage.py init_redis_config` or of deploy/redis/users.acl."


def check_all(*, operations: int = OPERATIONS) -> list[Report]:
    """The cache's server and the queue's, which are mostly one; nothing where AFN has no Redis."""
    if not settings.REDIS_URL:
        return []
    cache, queue = settings.REDIS_URL, settings.CELERY_BROKER_URL
    # Two databases of one server share its memory, and so its policy.
    if _server(cache) == _server(queue):
        urls, uses = dict.fromkeys((cache, queue)), ("cache", "queue")
        return [check(url, uses, operations=operations) for url in urls]
    return [
        check(cache, ("cache",), operations=operations),
        check(queue, ("queue",), operations=operations),
    ]


def check(
    url: str, uses: tuple[str, ...], *, operations: int = OPERATIONS, timeout: float = _TIMEOUT
) -> Report:
    """Everything about the server at `url`. Never raises for what may be wrong with it.

    With no `operations` nothing is written, and its speed not measured.
    """
    report = Report(shown_address(url), uses)
    options = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    try:
        client = Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0), **options)
        start = time.perf_counter()
        client.ping()
    except (RedisError, OSError, ValueError) as error:
        report.fail("connection", *refusal(error))
        return report
    took = (time.perf_counter() - start) * 1_000
    report.figures["connect_ms"] = round(took, 3)
    report.ok("connection", f"answers, {took:.1f} ms with the connection")
    looks: dict[str, Callable[[Any, Report], None]] = {
        "user": _user,
        "transport": partial(_transport, url),
        "figures": lambda client, report: judge(client.info(), report),
        "clock": _clock,
    }
    if operations:
        looks["speed"] = lambda client, report: measure(client, report, operations)
    with client:
        for name, look in looks.items():
            _guarded(name, look, client, report)
    return report


def _guarded(name: str, look: Callable[[Any, Report], None], client: Any, report: Report) -> None:
    try:
        look(client, report)
    except NoPermissionError as error:
        report.fail(name, f"refused: {error}", _RIGHTS)
    except ResponseError as error:  # such as OOM, MISCONF, READONLY
        report.fail(
            name, str(error), "See what Redis says here, and its log: it takes no writes, or not all."
        )
    except (RedisError, OSError) as error:
        report.fail(name, *refusal(error))


def _user(client: Any, report: Report) -> None:
    name = client.acl_whoami()
    if name == "default":
        report.warn(
            "user",
            "default, who may do anything",
            "Make users with least rights: `manage.py init_redis_config`, or deploy/redis.",
        )
    else:
        report.ok("user", str(name))


def _transport(url: str, client: Any, report: Report) -> None:
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        days = _days_left(client)
        if days is not None and days < _CERTIFICATE:
            report.warn(
                "transport",
                f"TLS, with a certificate that ends in {days} days",
                "Renew it (`manage.py init_redis_config --tls --force`, or as before) and restart Redis.",
            )
        else:
            report.ok("transport", "TLS" if days is None else f"TLS, with a certificate for {days} more days")
    elif _is_this_machine(parts.hostname or ""):
        report.ok("transport", "without TLS, on this machine")
    else:
        report.warn(
            "transport",
            "passwords and what is cached go over the network in plain text",
            "Use `rediss://` (`manage.py init_redis_config --tls`), unless nobody else is on that network.",
        )


def _days_left(client: Any) -> int | None:
    """Of the server's certificate; None where this client does not tell."""
    connection = client.connection_pool.get_connection()
    try:
        found: dict[str, str] = getattr(getattr(connection, "_sock", None), "getpeercert", dict)() or {}
    finally:
        client.connection_pool.release(connection)
    if "notAfter" not in found:
        return None
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
    return (end - datetime.now(UTC)).days


def _clock(client: Any, report: Report) -> None:
    before = time.time()
    seconds, microseconds = client.time()
    away = seconds + microseconds / 1_000_000 - (before + time.time()) / 2
    report.figures["clock_seconds"] = round(away, 3)
    if abs(away) > _CLOCKS:
        report.warn(
            "clock",
            f"{abs(away):.1f} s {'before' if away > 0 else 'behind'} this machine's",
            "Let both take their time from the network (NTP): limits and claims of tasks go by the clock.",
        )
    else:
        report.ok("clock", f"{abs(away) * 1_000:.0f} ms from this machine's")


def refusal(error: Exception) -> tuple[str, str]:
    """What went wrong, and what to do. A text that may quote the address is not repeated."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", None) or "no TLS"
        return (
            f"no TLS with it: {reason}",
            "Name the authority's certificates in the address (`?ssl_ca_certs=/path/ca.crt`) and the host as "
            "its certificate does; `redis://` is for a Redis without TLS.",
        )
    if isinstance(error, AuthenticationError) or "WRONGPASS" in str(error) or "NOAUTH" in str(error):
        return (
            "it refuses the user or the password",
            "Compare REDIS_URL and REDIS_PASSWORD, or CELERY_BROKER_URL and CELERY_BROKER_PASSWORD, "
            "with the users of Redis.",
        )
    if isinstance(error, NoPermissionError):
        return "its user may not even ask for an answer (PING)", _RIGHTS
    if isinstance(error, ValueError):
        return "its address cannot be used", "Look at what follows `?` in the address, and at its database."
    return (
        f"it does not answer ({type(error).__name__})",
        "Is it running, at this address and port? `redis-server var/redis/redis.conf`, or "
        "`docker compose ps redis`. One without TLS does not answer `rediss://`.",
    )


def _server(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 6379


def shown_address(url: str) -> str:
    """Without the password."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{host}:{parts.port or 6379}/{parts.path.strip('/') or 0}"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
