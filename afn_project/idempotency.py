"""``Idempotency-Key``: whoever sends a change of a collection again gets the answer of the first time.

Who calls is known once the operation has looked: `begin` is called there. The answer is known at the end, in
the middleware.
"""

import hashlib
import logging
import re
from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ops import idempotency
from vectors.bodies import check_whole
from vectors.permissions import READING, needed_permission

logger = logging.getLogger(__name__)
HEADER = "Idempotency-Key"
_PREFIX = "/api/v1/vectors/"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class WrongKey(Exception):
    """The header is not a key."""


class Replayed(Exception):
    """There is an answer already."""

    def __init__(self, answer: idempotency.Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def begin(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Claim the key of a request that changes a collection, where it has one.

    Raises Replayed, WrongKey, KeyReused or InProgress; and InvalidBody for half a body, whose answer would
    stand in the way of the whole one.
    """
    key = request.headers.get(HEADER)
    if key is None or not request.path.startswith(_PREFIX) or needed_permission(request) == READING:
        return
    if not _KEY.fullmatch(key):
        raise WrongKey
    found = idempotency.claim(str(user.pk), key, _hash(request))
    if isinstance(found, idempotency.Answer):
        raise Replayed(found)
    request.idempotency_claim = found  # type: ignore[attr-defined]


def replay(error: Replayed) -> HttpResponse:
    """The answer of the first time, said to be that."""
    answer = error.answer
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type or None)
    response["Idempotent-Replayed"] = "true"
    if not answer.content_type:
        del response["Content-Type"]
    return response


class IdempotencyMiddleware:
    """Keeps the answers of requests that succeeded; all others may be sent again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        claim: idempotency.Claim | None = getattr(request, "idempotency_claim", None)
        if claim is not None:
            try:
                _settle(claim, response)
            except DatabaseError:  # the change has been made, or refused: that is still the answer
                logger.exception("The answer to a request with a key could not be kept")
        return response


def _settle(claim: idempotency.Claim, response: HttpResponseBase) -> None:
    if response.status_code < 400 and isinstance(response, HttpResponse):
        content_type = response.headers.get("Content-Type", "")
        claim.keep(idempotency.Answer(response.status_code, content_type, response.content))
    else:
        claim.release()


def _hash(request: HttpRequest) -> str:
    digest = hashlib.sha256()
    method = request.method or ""
    for part in (method, request.get_full_path(), request.content_type or ""):
        digest.update(len(part).to_bytes(8, "little") + part.encode("utf-8", "surrogatepass"))
    check_whole(request, len(request.body))
    digest.update(request.body)
    return digest.hexdigest()
