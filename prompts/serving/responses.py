"""Answers to requests that read the registry: cached by epoch, and conditional.

`serve` is for views. The middleware answers before them what has been answered already: whoever sent the same
credentials a moment ago was admitted to read, and is not looked up anew for ADMITTED_SECONDS. While the
database is out of reach it answers what it answered last, and says so.
"""

import hashlib
import hmac
import threading
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .. import limiting
from . import answers, counts
from .answers import Answer
from .circuit import Circuit

ADMITTED_SECONDS: Final = 3.0
# For so long after they were admitted last, credentials get old answers while nobody can look them up.
STALE_SECONDS: Final = 3_600.0
_MAX_ADMITTED: Final = 10_000
SOURCE: Final = "X-AFN-Cache"
STALE: Final = "X-AFN-Stale"
SIGNATURE: Final = "X-AFN-Signature"

database: Final = Circuit()


def serve(request: HttpRequest, produce: Callable[[], bytes], *, is_signed: bool = False) -> HttpResponse:
    """The answer to a GET whose body depends on nothing but its address and the registry.

    The epoch is taken before `produce` reads, so that what is kept is of this epoch or a later one.
    """
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:  # it may be undone, and nobody else may see it
        return _respond(request, Answer.of(produce(), is_signed=is_signed), "none")
    asked = _asked(request)
    answer, source = None, ""
    if not (now := getattr(request, "afn_missed", "")):
        now, answer, source = answers.look(asked)
    if answer is None:
        answer = Answer.of(produce(), is_signed=is_signed)
        answers.keep(now, asked, answer)
        source = "miss"
    response = _respond(request, answer, source)
    response.afn_served = True  # type: ignore[attr-defined]  # admitted, as far as reading goes
    return response


class ServingMiddleware:
    """Stands before everything that looks a user up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "GET" or not request.path_info.startswith("/api/"):
            return self.get_response(request)
        credentials = request.META.get("HTTP_AUTHORIZATION", "")
        if not credentials and not (settings.AFN_PUBLIC_READ and not request.COOKIES):
            return self.get_response(request)
        admission = f"{request.path_info.split('/')[2]} {credentials}"  # each API admits by rules of its own
        age = admitted.age(admission)
        if age <= ADMITTED_SECONDS and _is_for_us(request) and (cached := _cached(request)):
            # One too many goes on, past the lookup of its key, to where errors get their form.
            if not limiting.wait_for(request, admitted.caller(admission)):
                return cached
            return self._ask(request, admission)
        if age > STALE_SECONDS:
            return self._ask(request, admission)
        if not database.may_try() and (stale := _stale(request)):
            return stale
        response = self._ask(request, admission)
        if response.status_code == 503 and (stale := _stale(request)):
            database.failed()
            return stale
        database.worked()
        return response

    def _ask(self, request: HttpRequest, admission: str) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(response, "afn_served", False):
            moment = getattr(request, "afn_looked_up", None)
            admitted.note(admission, getattr(request, "afn_caller", ""), moment)
        elif response.status_code in (401, 403):
            admitted.drop(admission)
        return response


class Admitted:
    """When credentials were admitted to read, by their hash: no secret is kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._moments: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def age(self, credentials: str) -> float:
        """Seconds since then; infinite where they never were."""
        found = self._moments.get(_digest(credentials))
        return self._clock() - found[0] if found is not None else float("inf")

    def caller(self, credentials: str) -> str:
        """Whose they are, as `prompts.limiting` counts: the key, or nobody in particular."""
        found = self._moments.get(_digest(credentials))
        return found[1] if found is not None else ""

    def note(self, credentials: str, caller: str = "", moment: float | None = None) -> None:
        """`moment` is when they were looked up, where that is longer ago: a key that was remembered then
        must not be admitted anew by it.
        """
        with self._lock:
            digest = _digest(credentials)
            self._moments[digest] = self._clock() if moment is None else moment, caller
            self._moments.move_to_end(digest)
            while len(self._moments) > _MAX_ADMITTED:
                self._moments.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._moments.clear()

    def drop(self, credentials: str) -> None:
        with self._lock:
            self._moments.pop(_digest(credentials), None)


admitted: Final = Admitted()


def _is_for_us(request: HttpRequest) -> bool:
    """Whether the host is one that the site answers to; else it is refused in the usual way."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _cached(request: HttpRequest) -> HttpResponse | None:
    try:
        now, answer, source = answers.look(_asked(request))
    except DatabaseError:
        return None
    if answer is None:
        request.afn_missed = now  # type: ignore[attr-defined]  # the view need not look again
        return None
    return _respond(request, answer, source)


def _stale(request: HttpRequest) -> HttpResponse | None:
    answer = answers.last(_asked(request))
    if answer is None:
        return None
    response = _respond(request, answer, "stale")
    response[STALE] = "true"
    response["Warning"] = '110 - "Response is Stale"'
    return response


def _asked(request: HttpRequest) -> str:
    """What an answer depends on. The path is decoded and may hold a question mark of its own, so its length
    tells where it ends: else a request could fill in the answer to another one.
    """
    path = request.path_info
    return f"{len(path)} {path}?{request.META.get('QUERY_STRING', '')}"


def _respond(request: HttpRequest, answer: Answer, source: str) -> HttpResponse:
    if _matches(request.META.get("HTTP_IF_NONE_MATCH", ""), answer.etag):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(answer.body, content_type=answer.content_type)
        response["Content-Length"] = str(len(answer.body))
    response["ETag"] = answer.etag
    response["Cache-Control"] = "private, no-cache"
    response[SOURCE] = source
    counts.count(source)
    if answer.is_signed and (secret := _secret(request)):
        response[SIGNATURE] = sign(secret, answer.body)
    return response


def sign(secret: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 of the body in hexadecimal digits; its key is the SHA-256 of the secret
    of the API key, as hexadecimal digits, which the server has and the secret itself it has not.
    """
    key = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def _secret(request: HttpRequest) -> str:
    """The secret of the API key that the request came with; tokens of other kinds have none to share."""
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() if "." not in value else ""
    try:
        return b64decode(value, validate=True).decode().partition(":")[2] if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def _matches(header: str, etag: str) -> bool:
    if not header:
        return False
    return header.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in header.split(",")]


def _digest(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode("utf-8", "surrogateescape")).digest()
