"""HTTPS to Turso's Platform API: checked settings, time-outs, retries, and errors that say what to do.

Only GET is tried again: anything else may have been done although no answer came, and its error says so.
Status codes: https://docs.turso.tech/api-reference/response-codes
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from .base import EnvironmentProblem, NameTaken, NotConfigured, ProviderFailed, UnknownEnvironment
from .secret_text import SecretText
from .sqld_admin import describe, tls

_CONNECT_SECONDS = 5.0
_READ_SECONDS, _WORK_SECONDS = 10.0, 120.0  # a branch may be copied before the answer comes
_ATTEMPTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
_LOOK = "It may have been done all the same: look with `manage.py environments list`."
_ADVICE = {
    401: "Set TURSO_API_TOKEN to a valid token; `turso auth api-tokens mint NAME` makes one.",
    402: "Check the organization's subscription at Turso.",
    403: "Set TURSO_API_TOKEN to a token that may do this in TURSO_ORGANIZATION.",
    404: "Check TURSO_ORGANIZATION.",
    409: "Choose another name.",
}
Answer = dict[str, Any]


class _Passing(ProviderFailed):
    """A failure that may pass by itself. The server may ask to wait ``after`` seconds."""

    def __init__(self, text: str, *, after: float | None = None, is_refused: bool = False) -> None:
        super().__init__(text)
        self.after = after
        self.is_refused = is_refused  # for certain nothing was done


class Client:
    """The API at `url` with a token of ``turso auth api-tokens mint``.

    Every failure is an ``EnvironmentProblem`` that never holds the token.
    """

    def __init__(self, url: str, token: str, pause: Callable[[float], None] = time.sleep) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise NotConfigured(
                "TURSO_API_TOKEN: expected visible ASCII characters without spaces, got none or others."
            )
        self.url = _checked_url(url)
        self._token = SecretText(token)
        self._pause = pause

    def send(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Answer | None = None,
    ) -> Answer:
        """The object in the answer. Raises ``NameTaken``, ``UnknownEnvironment`` or ``ProviderFailed``."""
        for attempt in count(1):
            try:
                return self._try(method, path, query, body)
            except _Passing as failure:
                if method != "GET":
                    raise ProviderFailed(f"{failure}{'' if failure.is_refused else f' {_LOOK}'}") from failure
                if attempt == _ATTEMPTS or (failure.after or 0) > _LONGEST_PAUSE:
                    raise
                self._pause(_pause(attempt) if failure.after is None else failure.after)
        raise AssertionError("count() has no end")

    def foreign(self, got: str) -> ProviderFailed:
        return ProviderFailed(
            f"What answers at {self.url} is not Turso's Platform API as it is published: it gave {got}. "
            "Check TURSO_API_URL."
        )

    def _try(self, method: str, path: str, query: Mapping[str, str] | None, body: Answer | None) -> Answer:
        headers = {"Authorization": SecretText(f"Bearer {self._token}")}
        seconds = _READ_SECONDS if method == "GET" else _WORK_SECONDS
        timeout = httpx2.Timeout(seconds, connect=_CONNECT_SECONDS)
        try:
            # No proxy of the environment gets to see the token; a redirect is not followed.
            with httpx2.Client(
                headers=headers, timeout=timeout, verify=tls(), trust_env=False, follow_redirects=False
            ) as client:
                response = client.request(method, f"{self.url}/v1/{path}", params=query, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise ProviderFailed(f"{self._no_answer(error)} Nothing was sent.") from error
        except httpx2.HTTPError as error:
            raise _Passing(self._no_answer(error)) from error
        return self._read(response)

    def _read(self, response: httpx2.Response) -> Answer:
        status, answer = response.status_code, _json_object(response)
        if status == 200 and answer is not None:
            return answer
        if status < 400:
            raise self.foreign(f"status {status}{'' if answer is not None else ' without a JSON object'}")
        text = _error_text(answer, self._token) or "it gave no reason"
        raise _refusal(status, text, response.headers.get("retry-after", ""))

    def _no_answer(self, error: httpx2.HTTPError) -> str:
        return (
            f"Turso's Platform API at {self.url} gave no answer ({describe(error)}). Can this machine reach "
            "it, and is TURSO_API_URL its address?"
        )


def _refusal(status: int, text: str, retry_after: str) -> EnvironmentProblem:
    said = f"Turso's Platform API refused, with status {status}: {text}."
    if status == 429:
        after = float(retry_after) if re.fullmatch(r"[0-9]{1,6}", retry_after) else None
        when = "later" if after is None else f"in {after:g} s"
        return _Passing(f"{said} Try again {when}.", after=after, is_refused=True)
    if status >= 500:
        return _Passing(f"{said} Try again later.")
    if status == 404 and "database" in text:
        return UnknownEnvironment(said)
    kind = NameTaken if status == 409 else ProviderFailed
    return kind(f"{said} {_ADVICE.get(status, '')}".rstrip())


def _pause(attempt: int) -> float:
    """Growing, and spread, so that many clients do not come back at once."""
    return _FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311


def _json_object(response: httpx2.Response) -> Answer | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _error_text(answer: Answer | None, token: str) -> str:
    """What the API says, without the token that it may quote."""
    text = (answer or {}).get("error")
    if not isinstance(text, str):
        return ""
    text = text.replace(token, "********")[:200]
    return "".join(letter for letter in text if letter.isprintable()).rstrip(".")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        # No user name or password: they would show in messages.
        is_plain = re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", parts.netloc) is not None and parts.port != 0
        is_plain = is_plain and not (parts.path.strip("/") or parts.query or parts.fragment)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    except ValueError:  # its text may quote a password, so it is not shown
        is_plain = is_safe = False
    if not (is_plain and is_safe and parts.hostname):
        raise NotConfigured(
            "TURSO_API_URL: expected https://host, no more; http:// only on this machine itself."
        )
    return f"{parts.scheme}://{parts.netloc}"
