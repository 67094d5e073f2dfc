"""How often somebody may ask: counts in fixed windows, in the Redis that all processes share, else here.

A window starts at multiples of its length, so that all processes mean the same one: one INCR and one EXPIRE
in one round trip. Who spends two windows' worth around their border is let through; in return nothing is kept
of single requests. Names in Redis are hashes.

Ninja's throttling is not used: it reads and writes a list of moments without a lock, after the key was looked
up, and what `prompts.serving.responses` answers never gets there.
"""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from .rates import Rate, read_rate
from .serving import shared

_MAX_NAMES: Final = 50_000


class TooMany(Exception):
    """Asked too often; ``wait`` are the seconds after which it may be tried again."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class Counts:
    """What this process has counted. Threads share it; of too many names the oldest are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def add(self, name: str) -> int:
        with self._lock:
            count = self._counts.pop(name, 0) + 1
            self._counts[name] = count  # last
            while len(self._counts) > _MAX_NAMES:
                self._counts.popitem(last=False)
            return count

    def get(self, name: str) -> int:
        return self._counts.get(name, 0)

    def put(self, name: str, count: int) -> None:
        with self._lock:
            self._counts[name] = max(count, self._counts.get(name, 0))
            while len(self._counts) > _MAX_NAMES:
                self._counts.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


class Limiter:
    """Counts what happens to somebody, each `kind` for itself."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts = Counts()

    def add(self, kind: str, who: str, rate: Rate) -> int:
        """Count once more. The seconds to wait where that is more than `rate` allows, else 0."""
        name, wait = self._window(kind, who, rate)
        try:
            count = shared.count(name, 2 * rate.seconds)
            if count > rate.count:
                self._counts.put(name, count)  # so that `wait` need not ask
        except shared.Unavailable:
            count = self._counts.add(name)
        return wait if count > rate.count else 0

    def wait(self, kind: str, who: str, rate: Rate) -> int:
        """The same without counting, as far as this process knows: it asks nobody."""
        name, wait = self._window(kind, who, rate)
        return wait if self._counts.get(name) > rate.count else 0

    def clear(self) -> None:
        """For tests."""
        self._counts.clear()

    def _window(self, kind: str, who: str, rate: Rate) -> tuple[str, int]:
        now = self._clock()
        number = int(now // rate.seconds)
        # Keyed: there are few addresses, whose mere hashes could be looked up.
        digest = hmac.new(settings.SECRET_KEY.encode(), f"{kind} {who}".encode("utf-8", "replace"), "sha256")
        wait = int((number + 1) * rate.seconds - now) + 1
        return f"afn:rate:{kind}:{rate.seconds}:{number}:{digest.hexdigest()[:32]}", wait


limiter: Final = Limiter()


def check_rate(request: HttpRequest, caller: str) -> None:
    """Count a request of `caller` (``key:…``, ``user:…``; empty: anybody, by address). Raises ``TooMany``."""
    if wait := wait_for(request, caller):
        raise TooMany(wait)


def wait_for(request: HttpRequest, caller: str) -> int:
    """Count a request once, however often it is looked at; the seconds to wait, else 0."""
    text = settings.AFN_RATE_LIMIT if caller else settings.AFN_ANONYMOUS_RATE_LIMIT
    rate = read_rate(text)
    if rate is None:
        return 0
    if (known := getattr(request, "afn_wait", None)) is None:
        known = limiter.add("calls", caller or address_of(request), rate)
        request.afn_wait = known  # type: ignore[attr-defined]
    return int(known)


def note_wrong_credentials(request: HttpRequest) -> None:
    """Count credentials that were refused, by the address they came from."""
    if rate := read_rate(settings.AFN_WRONG_KEY_LIMIT):
        limiter.add("wrong", address_of(request), rate)


def check_wrong_credentials(request: HttpRequest) -> None:
    """Raises ``TooMany`` where too many wrong ones came from this address: then no others are looked up."""
    rate = read_rate(settings.AFN_WRONG_KEY_LIMIT)
    if rate and (wait := limiter.wait("wrong", address_of(request), rate)):
        raise TooMany(wait)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: of IPv6 the network, for everybody has a whole one.

    Behind `AFN_PROXIES` proxies it is what the first of them saw; what stands before that in the header,
    anybody may have written.
    """
    address = read_address(client_text(request))
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)


def client_text(request: HttpRequest) -> str:
    """The same as it was written, for `read_address`."""
    if proxies := settings.AFN_PROXIES:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(seen) >= proxies:
            return str(seen[-proxies])
    return str(request.META.get("REMOTE_ADDR", ""))


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also as some proxies write it: with a port, and IPv6 in brackets. One of IPv4 that is
    written as IPv6 is one of IPv4.
    """
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
