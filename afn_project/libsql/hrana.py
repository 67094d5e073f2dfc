"""Hrana 3 over HTTP: one stream on one keep-alive connection, and how its values are written.

A *stream* is a connection to the database inside the server. It lives from one request to the next by a
*baton*: each answer carries the one for the next request. The protocol is libSQL's ``docs/HRANA_3_SPEC.md``.
"""

import base64
import json
import math
import os
import re
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from sqlite3 import DataError, OperationalError
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .driver import Result, Row, SqlValue
from .dsn import Secret, Target
from .errors import (
    INVALID_TEXT,
    AccessRefused,
    NamespaceNotFound,
    Redirected,
    TooManyConnections,
    error_from_server,
    error_from_text,
)
from .statements import TOKEN
from .wire import BadAnswer, Connection

PATH = "/v3/pipeline"
CONNECT_TIMEOUT = 2.0  # seconds; a server in use answers a connection at once, or is not there
# The server closes a stream after some ten idle seconds. An older one is opened anew instead of tried.
STREAM_IDLE = 7.0
_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
_as_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
Request = dict[str, Any]


class RequestFailed(Exception):
    """``is_final``: trying again is no help, such as after a wait as long as the caller wanted to wait."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class NotSent(RequestFailed):
    """The request did not leave this machine: whatever it was, it may be sent again."""


class NoAnswer(RequestFailed):
    """The request was sent, or part of it, and no answer came, or none that tells what became of it."""


class StreamGone(Exception):
    """The server no longer knows the stream, so it has not run the request."""


class StreamOfParent(StreamGone):
    """The stream belongs to the process that this one was forked from, and goes on there."""


class InvalidText(OperationalError):
    """The statement was run, and the server cannot say what it gave."""


@dataclass(frozen=True)
class Endpoint:
    """A database on a server, and with what right it is used."""

    url: str
    namespace: str = ""
    auth_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, target: Target, auth_token: str = "") -> "Endpoint":
        return cls(target.url, target.namespace, auth_token or target.auth_token)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        at = f" (namespace {self.namespace})" if self.namespace else ""
        return f"{parts.scheme}://{parts.hostname}{port}{at}"

    @cached_property
    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.auth_token:
            if not _HEADER_TEXT.fullmatch(self.auth_token):
                raise AccessRefused(
                    f"The token for {self} has characters that no token has, such as a line break or a "
                    "space; nothing was sent. Check TURSO_AUTH_TOKEN."
                )
            headers["Authorization"] = Secret(f"Bearer {self.auth_token}")
        if self.namespace:
            # The server takes the first label of the host's name for the namespace, if there is a second.
            headers["Host"] = f"{self.namespace}.{urlsplit(self.url).hostname}"
        return headers


class Stream:
    """One stream and the HTTP connection it is used through. Not to be shared by two threads at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.created = self.used = time.monotonic()
        self.made_in = os.getpid()
        self._home = self._base = urlsplit(endpoint.url)
        self._baton: str | None = None
        self._connection: Connection | None = None
        self._process = self.made_in

    @property
    def is_open(self) -> bool:
        """Whether the server holds something for this stream."""
        return self._baton is not None

    def pipeline(self, requests: Sequence[Request], timeout: float) -> list[Any]:
        """Send requests in one round trip; their results, of which each is "ok" or "error".

        Raises ``NotSent``, ``NoAnswer`` or ``StreamGone``, or a ``ServerError`` where the server refuses.
        """
        self._leave_to_parent()
        body = _as_json({"baton": self._baton, "requests": requests}).encode()
        if self._baton is None and self._base is not self._home:
            self.hang_up()  # the address that a stream was moved to was that stream's
        self._baton = None  # good for one request, whatever becomes of it
        status, answer = self._post(body, timeout)
        if status != 200:
            raise self._refusal(status, answer)
        try:
            content = json.loads(answer)
            results: list[Any] = content["results"]
            if len(results) != len(requests):
                raise ValueError(f"{len(results)} results for {len(requests)} requests")
            self._baton = content["baton"]
            self._move(content.get("base_url"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self.hang_up()
            raise NoAnswer("what answers there is no libSQL server") from error
        self.used = time.monotonic()
        return results

    def expire(self) -> None:
        """Leave the stream to the server, which closes it soon; the connection is kept."""
        self._baton = None

    def close(self, *, timeout: float = 1.0) -> None:
        """Roll back what is open on the stream now, rather than when the server notices; then hang up."""
        if self._baton is not None and self._process == os.getpid():
            with suppress(Exception):  # where this fails, the server will notice by itself
                self.pipeline([{"type": "close"}], timeout)
        self.hang_up()

    def hang_up(self) -> None:
        self._baton, self._base = None, self._home
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes, timeout: float) -> tuple[int, bytes]:
        headers = self.endpoint.headers
        connection = self._usable_connection(timeout)
        try:
            return connection.post(PATH, headers, body, timeout)
        except (OSError, BadAnswer) as error:
            self.hang_up()
            failure = NoAnswer(_describe(error), is_final=isinstance(error, TimeoutError | BadAnswer))
            # Without its frames: among their variables is the request's head, which error pages would show.
            raise failure from error.with_traceback(None)
        except BaseException as error:  # interrupted: the answer that comes now is not the next one's
            self.hang_up()
            error.__traceback__ = None  # as above
            raise

    def _usable_connection(self, timeout: float) -> Connection:
        """The connection of the last request, unless it was closed meanwhile, or a new one."""
        if self._connection is not None:
            if self._process == os.getpid() and self._connection.is_usable:
                return self._connection
            self._connection.close()
        try:
            self._connection = Connection(self._base, min(timeout, CONNECT_TIMEOUT))
        except (OSError, ValueError) as error:  # the latter: a name like a..b
            raise NotSent(_describe(error), is_final=isinstance(error, TimeoutError)) from error
        self._process = os.getpid()
        return self._connection

    def _move(self, base_url: str | None) -> None:
        """Go on at the address that the server names for this stream."""
        if not base_url:
            return
        base = urlsplit(base_url)
        if base[:2] == self._base[:2]:
            return
        if not _may_follow(self._home, base):
            self.hang_up()
            raise NoAnswer("it refers to a server of another domain, which is not followed", is_final=True)
        baton = self._baton
        self.hang_up()
        self._base, self._baton = base, baton

    def _leave_to_parent(self) -> None:
        """In a forked child: two processes that use one stream would end each other's transactions."""
        if self._process == os.getpid():
            return
        was_open = self.is_open
        self.hang_up()  # closes this process's end only
        self._process = os.getpid()
        if was_open:
            raise StreamOfParent

    def _refusal(self, status: int, answer: bytes) -> Exception:
        text, code = _read_error(answer)
        text = text or f"HTTP status {status}"
        if self.endpoint.auth_token:
            text = text.replace(self.endpoint.auth_token, "***")
        if 300 <= status < 400:
            return Redirected(
                f"{self.endpoint} redirects to another address (HTTP status {status}), which is not "
                "followed; nothing was run. Write the new one, https:// perhaps, into TURSO_DATABASE_URL."
            )
        if status == 413:
            return error_from_text("string or blob too big: the request is larger than the server takes")
        if code == "STREAM_EXPIRED" or "baton" in text[:60]:
            return StreamGone(text)
        if status in (401, 403):
            return AccessRefused(
                f"{self.endpoint} refused the token ({text}). Is TURSO_AUTH_TOKEN set, not expired, and made "
                "for this database?"
            )
        if status == 404:
            return NamespaceNotFound(
                f"{self.endpoint} does not hold this database, or the token is for another one ({text}). "
                "Check TURSO_DATABASE_URL, AFN_ENVIRONMENT and TURSO_AUTH_TOKEN."
            )
        if status == 429:
            return TooManyConnections(
                f"{self.endpoint} has no connection left. Lower DB_POOL_SIZE and DB_MAX_OVERFLOW, or raise "
                "the server's --max-concurrent-connections."
            )
        if status == 400 and code:
            return error_from_server(text, code)
        if status == 500 and "utf-8" in text:
            return InvalidText(INVALID_TEXT)
        return NoAnswer(f"HTTP status {status}: {text}")


def statement(sql: str, parameters: Sequence[SqlValue], *, want_rows: bool = True) -> Request:
    """A statement as Hrana writes it. Infinity, which JSON lacks, is written into the SQL."""
    if any(type(value) is float and math.isinf(value) for value in parameters):
        sql, parameters = _inline_infinity(sql, parameters)
    return {"sql": sql, "args": [_encode(value) for value in parameters], "want_rows": want_rows}


def result(answer: Any) -> Result:
    """A statement's result. Raises ``DataError`` for infinity, whose sign the server does not tell."""
    rowid = answer["last_insert_rowid"]
    return Result(
        [column["name"] for column in answer["cols"]],
        [_row(row) for row in answer["rows"]],
        answer["affected_row_count"],
        None if rowid is None else int(rowid),
    )


def _row(cells: list[Any]) -> Row:
    return tuple([_decode(cell) for cell in cells])


def _encode(value: SqlValue) -> Request:
    if isinstance(value, str):
        return {"type": "text", "value": value}
    if value is None or value != value:  # as sqlite3 does: NaN is stored as NULL
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    if isinstance(value, float):
        return {"type": "float", "value": value}
    return {"type": "blob", "base64": base64.b64encode(value).decode()}


def _decode(cell: Any) -> SqlValue:
    match cell["type"]:
        case "text":
            return cell["value"]  # type: ignore[no-any-return]
        case "integer":
            return int(cell["value"])
        case "null":
            return None
        case "blob":
            text = cell["base64"]
            return base64.b64decode(text + "=" * (-len(text) % 4))
    if cell["value"] is None:
        raise DataError(
            "A number in the result is infinite, which a libSQL server cannot send. Read it as text with "
            "CAST(column AS TEXT)."
        )
    return float(cell["value"])


def _inline_infinity(sql: str, parameters: Sequence[SqlValue]) -> tuple[str, list[SqlValue]]:
    values, bound = iter(parameters), []

    def replace(match: Any) -> str:
        if match[0] != "?":
            return str(match[0])
        value = next(values)
        if type(value) is float and math.isinf(value):
            return "9e999" if value > 0 else "(-9e999)"
        bound.append(value)
        return "?"

    return TOKEN.sub(replace, sql), bound


def _may_follow(home: SplitResult, other: SplitResult) -> bool:
    """Whether the token for one address may be sent to the other: the same host, one below it, or Turso's."""
    ours, theirs = home.hostname or "", other.hostname or ""
    is_same = theirs == ours or theirs.endswith(f".{ours}")
    are_turso = ours.endswith(".turso.io") and theirs.endswith(".turso.io")
    return other.scheme == home.scheme and other.port != 0 and (is_same or are_turso)


def _read_error(answer: bytes) -> tuple[str, str]:
    """Text (cut, printable) and code of an answer that is none."""
    text, code = answer.decode("utf-8", "replace"), ""
    try:
        content = json.loads(text)
        text, code = content.get("message") or content.get("error") or text, content.get("code") or ""
    except (ValueError, AttributeError):
        pass
    return "".join(letter for letter in str(text)[:200] if letter.isprintable()), str(code)


def _describe(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
