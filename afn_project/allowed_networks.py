"""Who may reach which part of the site, by address: the first door, before a password or key is looked at.

The address is found as for limits (`prompts.limiting`), so that behind a proxy AFN_PROXIES has to be right.
Who has none, as over a Unix socket, is let in nowhere that has networks.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from prompts.limiting import client_text, read_address
from prompts.networks import read_network

from .api_forms import form

logger = logging.getLogger(__name__)
Area = Literal["site", "console", "api"]
# What load balancers ask, wherever they are. It tells nothing but that the process is there.
OPEN: Final = "/health/live"
REFUSAL: Final = "This address is in none of the networks that may come here."
_QUIET: Final = 60.0  # seconds for which an address is not told of again
_MAX_TOLD: Final = 1_000


def is_allowed(address: str, area: Area) -> bool:
    """May this address reach that part? What a part allows, the whole site has to allow as well."""
    of_area = {"site": [], "console": settings.AFN_CONSOLE_NETWORKS, "api": settings.AFN_API_NETWORKS}[area]
    return _is_within(address, tuple(settings.AFN_ALLOWED_NETWORKS)) and _is_within(address, tuple(of_area))


def area_of(path: str) -> Area:
    if path.startswith(("/api/", "/mcp")):
        return "api"
    return "console" if path.startswith("/admin") else "site"


def is_anything_set() -> bool:
    return any((settings.AFN_ALLOWED_NETWORKS, settings.AFN_CONSOLE_NETWORKS, settings.AFN_API_NETWORKS))


def refuses(request: HttpRequest) -> bool:
    """Whether this request is to be refused, which is logged."""
    path = request.path_info
    area, address = area_of(path), client_text(request)
    if path == OPEN or is_allowed(address, area):
        return False
    _told.note(address, area)
    return True


class AllowedNetworksMiddleware:
    """Not there at all where no network is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not is_anything_set():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not refuses(request):
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            status, body = form(request.path_info, 403, REFUSAL)
            return JsonResponse(body, status=status)
        return HttpResponse(
            f"403 Forbidden\n\n{REFUSAL}\n", status=403, content_type="text/plain; charset=utf-8"
        )


class _Told:
    """Who was refused, of late: one line a minute and address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: OrderedDict[str, float] = OrderedDict()

    def note(self, text: str, area: Area) -> None:
        address = str(read_address(text) or "one without an address")
        now = self._clock()
        if now - self._moments.get(address, float("-inf")) < _QUIET:
            return
        self._moments[address] = now
        self._moments.move_to_end(address)
        while len(self._moments) > _MAX_TOLD:
            self._moments.popitem(last=False)
        logger.warning("Refused: %s is in none of the networks of the %s", address, area)


_told: Final = _Told()


@lru_cache(maxsize=4_096)
def _is_within(text: str, networks: tuple[str, ...]) -> bool:
    if not networks:
        return True
    address = read_address(text)
    return address is not None and any(address in one for one in _read(networks))


@lru_cache(maxsize=64)
def _read(networks: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [read_network(one) for one in networks]
