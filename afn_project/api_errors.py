"""Every error of the API as JSON: ``{"detail": …}``, a text or a list of ``{"field", "msg"}``.

Below ``/api/public`` they have the form that clients of Langfuse read (``api_forms``).
"""

import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any

import ninja.errors
from django.conf import settings
from django.core import exceptions
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException
from django.http.response import HttpResponseBase
from ninja import NinjaAPI

from ops.environments import base as environments
from ops.idempotency import InProgress, KeyReused
from prompts.comparing import UnknownPrompts
from prompts.database_pairs import MergeProblem, SameDatabase
from prompts.errors import EvidenceMissing, NotThere, Protected, Refused, RegistryProblem
from prompts.limiting import TooMany
from prompts.merge_results import MergeConflict
from prompts.rendering.errors import RenderingUnavailable, TemplateProblem
from prompts.rendering.signature import WrongVariables
from prompts.serving.reading import Unresolvable
from vectors.errors import CollectionNotFound, EmbedderError, StaleBatch, VectorError

from . import database_errors, idempotency
from .api_forms import form, is_public
from .api_json import InvalidJson
from .libsql.errors import ServerError

logger = logging.getLogger(__name__)
MAX_PROBLEMS = 20
# Of a union the branch is named as well, by its type; that helps nobody.
_BRANCH = re.compile(r"str|(dict|list)\[.*\]")
_DJANGOS = {
    "blank": "Expected some text, got none.",
    "null": "Expected a value, got null.",
    "max_length": "Expected at most {limit_value:,} characters, got {show_value:,}.",
    "min_value": "Expected a number from {limit_value} on, got {show_value}.",
    "max_value": "Expected a number up to {limit_value}, got {show_value}.",
}
# Where bodies come packed: clients of Langfuse export spans so.
TAKES_GZIP = {"/api/public/otel/v1/traces"}


@dataclass(frozen=True)
class Problem:
    status: int
    detail: Any
    headers: dict[str, str] = field(default_factory=dict)


def install(api: NinjaAPI) -> None:
    """Answer every exception that an operation can raise; the most special class decides."""
    for kind, describe in DESCRIPTIONS.items():
        api.add_exception_handler(kind, partial(_answer, api, describe))
    api.add_exception_handler(idempotency.Replayed, _replay)


def _answer(api: NinjaAPI, describe: Callable[[Any], Problem], request: HttpRequest, error: Any) -> Any:
    problem = describe(error)
    status, body = form(request.path, problem.status, problem.detail)
    response = api.create_response(request, body, status=status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _replay(request: HttpRequest, error: Any) -> Any:
    return idempotency.replay(error)


def _schema(error: ninja.errors.ValidationError) -> Problem:
    told = ("msg", "expected", "got")  # see `api_validation`
    found = [
        {"field": _path(one["loc"]), **{name: one[name] for name in told if name in one}}
        for one in error.errors
    ]
    return Problem(422, found[:MAX_PROBLEMS])


def _path(location: tuple[str | int, ...]) -> str:
    """("body", "payload", "items", 3, "vector") is the caller's items[3].vector."""
    source, *parts = location
    if source == "body":
        parts = parts[1:]
    parts = [part for part in parts if not (isinstance(part, str) and _BRANCH.fullmatch(part))]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or str(source)


def _model(error: exceptions.ValidationError) -> Problem:
    named = error.error_dict if hasattr(error, "error_dict") else {exceptions.NON_FIELD_ERRORS: [error]}
    found = [
        {"field": "body" if name == exceptions.NON_FIELD_ERRORS else name, "msg": message}
        for name, errors in named.items()
        for one in errors
        for message in _in_our_words(one)
    ]
    found = list({(one["field"], one["msg"]): one for one in found}.values())
    codes = {one.code for errors in named.values() for one in errors}
    if "unavailable" in codes:
        return Problem(503, found[:MAX_PROBLEMS], {"Retry-After": "1"})
    return Problem(409 if "unique" in codes else 422, found[:MAX_PROBLEMS])


def _in_our_words(error: exceptions.ValidationError) -> list[str]:
    """Django's own checks say what was expected, but not in the words of all others."""
    limits = error.params if isinstance(error.params, dict) else {}
    if say := _DJANGOS.get(str(error.code)):
        with suppress(KeyError):
            return [say.format(**limits)]
    return error.messages


def _vector(error: VectorError) -> Problem:
    problem = _expected(error)
    is_taken = isinstance(error.__cause__, IntegrityError)
    return Problem(409 if is_taken else 422, [problem])


def _expected(error: VectorError | RegistryProblem) -> dict[str, Any]:
    msg = f"Expected {error.expected}, got {error.got}. {error.hint}".rstrip(". ")
    return {"field": error.field, "msg": msg, "expected": error.expected, "got": error.got}


def _registry(status: int, error: RegistryProblem) -> Problem:
    problem = _expected(error)
    if isinstance(error, EvidenceMissing):
        problem["evidence"] = error.evidence
    return Problem(status, [problem])


def _template(error: TemplateProblem) -> Problem:
    problems = error.problems if isinstance(error, WrongVariables) else (error,)
    found = [
        {
            "field": one.field,
            "msg": f"Expected {one.expected}, got {one.got}",
            "expected": one.expected,
            "got": one.got,
        }
        for one in problems
    ]
    return Problem(422, found[:MAX_PROBLEMS])


def _embedder(error: EmbedderError) -> Problem:
    # Its text may name inner addresses: that goes to the log, to the caller goes what to do.
    logger.error("The embedder failed: %s", error)
    advice = f"The embedder cannot be used now; mode=keyword works without it. {error.hint}".strip()
    return Problem(503, advice)


def _http(error: ninja.errors.HttpError) -> Problem:
    """Among them: ninja's "Cannot parse request body", whose cause says what is wrong with it."""
    cause = error.__cause__
    if isinstance(cause, RecursionError):
        return _recursion(cause)
    if isinstance(cause, VectorError):
        return _vector(cause)
    if isinstance(cause, InvalidJson):
        return Problem(422, [{"field": "body", "msg": str(cause)}])
    if isinstance(cause, json.JSONDecodeError):
        return Problem(400, f"The body is not JSON: {cause}.")
    if isinstance(cause, ValueError):
        return Problem(400, "The body is not JSON in UTF-8 with numbers of a usual size.")
    return Problem(error.status_code, str(error))


def _unauthenticated(error: ninja.errors.AuthenticationError) -> Problem:
    # Basic is accepted but not offered: browsers would put a password dialogue over the documentation.
    text = error.message
    if text == "Unauthorized":
        text = "Send an API key: Authorization: Bearer <secret>."
    return Problem(401, text, {"WWW-Authenticate": 'Bearer realm="AFN"'})


def _integrity(error: IntegrityError) -> Problem:
    logger.info("Refused by the database: %s", error)
    return Problem(409, "This conflicts with what is stored: a name is taken, or a row has just gone.")


def _database(error: OperationalError) -> Problem:
    logger.error("The database failed: %s", error)
    if "disk is full" in str(error):
        return Problem(507, "The server's disk is full. Its operator has to make room; then send this again.")
    return Problem(503, "The database is busy or out of reach. Try again.", {"Retry-After": "1"})


def _environment(error: environments.EnvironmentProblem) -> Problem:
    return Problem(ENVIRONMENT_STATUS.get(type(error), 422), str(error))


def _conflicts(error: MergeConflict) -> Problem:
    # All of them: half of the conflicts are no use to whoever has to settle them.
    found = [
        one.as_json() | {"msg": f"{one.prompt}: {one.field} cannot be merged."}
        for one in error.result.conflicts
    ]
    return Problem(409, found)


def _server(error: ServerError) -> Problem:
    status, text = database_errors.describe(error)
    return Problem(status, text, {"Retry-After": "2"} if status == 503 else {})


def _unexpected(error: Exception) -> Problem:
    logger.error("Unexpected error in the API", exc_info=error)
    return Problem(500, "Something went wrong here; the log says what.")


def _too_many(error: TooMany) -> Problem:
    return Problem(429, f"Too many requests. Try again in {error.wait} s.", {"Retry-After": str(error.wait)})


def _key(expected: str) -> dict[str, str]:
    return {"field": idempotency.HEADER, "msg": f"Expected {expected}."}


def _not_found(error: Exception) -> Problem:
    return Problem(404, "There is nothing of that id or name.")


def _recursion(error: RecursionError) -> Problem:
    return Problem(422, [{"field": "body", "msg": "Expected less deeply nested JSON."}])


ENVIRONMENT_STATUS: dict[type[Exception], int] = {
    environments.UnknownEnvironment: 404,
    environments.NameTaken: 409,
    environments.Protected: 409,
    environments.NotConfigured: 503,
    environments.ProviderFailed: 503,
}
DESCRIPTIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    Exception: _unexpected,
    ninja.errors.HttpError: _http,
    ninja.errors.AuthenticationError: _unauthenticated,
    ninja.errors.ValidationError: _schema,
    exceptions.ValidationError: _model,
    exceptions.ObjectDoesNotExist: _not_found,
    Http404: _not_found,
    exceptions.SuspiciousOperation: lambda error: Problem(400, "This request is malformed."),
    exceptions.TooManyFieldsSent: lambda error: Problem(
        400, f"Expected at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} parameters, got more."
    ),
    exceptions.RequestDataTooBig: lambda error: Problem(413, "The body is larger than AFN_MAX_BODY_MB."),
    exceptions.BadRequest: lambda error: Problem(400, "This request is malformed."),
    MultiPartParserError: lambda error: Problem(400, "This request is malformed."),
    RawPostDataException: lambda error: Problem(415, "Send JSON: Content-Type: application/json."),
    RecursionError: _recursion,
    VectorError: _vector,
    CollectionNotFound: lambda error: Problem(404, f"There is no such {error.field}: {error.got}."),
    StaleBatch: lambda error: Problem(409, "The same items were changed meanwhile. Try again."),
    EmbedderError: _embedder,
    RegistryProblem: partial(_registry, 422),
    NotThere: partial(_registry, 404),
    Protected: partial(_registry, 403),
    Refused: partial(_registry, 409),
    Unresolvable: partial(_registry, 409),
    TemplateProblem: _template,
    RenderingUnavailable: lambda error: replace(_template(error), status=503, headers={"Retry-After": "1"}),
    IntegrityError: _integrity,
    DataError: lambda error: Problem(422, "Expected text without NUL characters."),
    OperationalError: _database,
    ServerError: _server,
    environments.EnvironmentProblem: _environment,
    TooMany: _too_many,
    idempotency.WrongKey: lambda error: Problem(422, [_key("1 to 255 printable characters of ASCII")]),
    KeyReused: lambda error: Problem(422, [_key("a key that was not used for another request")]),
    InProgress: lambda error: Problem(409, "The same request is being carried out.", {"Retry-After": "2"}),
    # Migrations to be run, a target that changes all the time: what is stored is in the way.
    MergeProblem: lambda error: Problem(409, str(error)),
    SameDatabase: lambda error: Problem(422, str(error)),
    UnknownPrompts: lambda error: Problem(404, str(error)),
    MergeConflict: _conflicts,
}


class JsonErrorsMiddleware:
    """What did not reach an operation (unknown path, wrong method or host…) answers in JSON as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            # Django would take the body for empty (WSGI leaves its end unknown).
            return _error(request, 411, "Send the body with a Content-Length, not chunked.")
        if not _is_readable(request):
            return _error(request, 415, "Send the body as it is, without a Content-Encoding.")
        response = self.get_response(request)
        if response.status_code < 400 or _is_json(response):
            return response
        answer = _error(request, response.status_code, _reason(request, response))
        for name in ("Allow", "Retry-After"):
            if name in response.headers:
                answer[name] = response.headers[name]
        return answer


def _error(request: HttpRequest, status: int, text: str) -> JsonResponse:
    status, body = form(request.path, status, text)
    return JsonResponse(body, status=status)


def _is_readable(request: HttpRequest) -> bool:
    """Is the body as it is, or packed as its operation can unpack it?"""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    return encoding == "identity" or (encoding == "gzip" and request.path in TAKES_GZIP)


def _is_json(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def _reason(request: HttpRequest, response: HttpResponseBase) -> str:
    if response.status_code == HTTPStatus.NOT_FOUND:
        page = "/api/public/openapi.json" if is_public(request.path) else "/api/v1/docs"
        return f"There is no such path; {page} lists those that are. They end without a slash."
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This path takes {response.headers.get('Allow', 'other methods')} only."
    return HTTPStatus(response.status_code).phrase
