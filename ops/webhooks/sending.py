"""One attempt: the request as it is sent, and what came of it. Nothing is stored here."""

import re
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import httpx2

from ops.outbox.models import OutboxEvent
from vectors import outgoing
from vectors.errors import OutgoingRefused

from . import formats, signing
from .models import MAX_ERROR, MAX_EXCERPT

TIMEOUT: Final = 5.0
DEADLINE: Final = 10.0
_READ: Final = 4_096
_AGENT: Final = "AFN-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, with which secrets; the newest first."""

    url: str
    secrets: tuple[str, ...]
    format: str

    def mask(self, text: str) -> str:
        """A receiver may answer with what it was sent: what is secret in that is not kept. Nor are the parts
        of the path, which it may have written with other signs between them.
        """
        path = self.url.partition("://")[2].partition("/")[2]
        parts = sorted(re.split(r"[/?&=#;]", f"{path}/{unquote(path)}"), key=len, reverse=True)
        for secret in (*self.secrets, self.url, path, *parts):
            if len(secret) >= 8:
                text = text.replace(secret, "[hidden]")
        return text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; without a status there was no answer."""

    status: int | None
    excerpt: str
    error: str
    duration_ms: float
    retry_after: int = 0

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def columns(self) -> dict[str, Any]:
        """As the row keeps it of what was sent, whose claim is given back."""
        return {
            "claimed_at": None,
            "response_status": self.status,
            "response_excerpt": self.excerpt,
            "duration_ms": self.duration_ms,
            "error": self.error[:MAX_ERROR],
        }

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def send(target: Target, event: OutboxEvent, delivery_id: str, *, now: float | None = None) -> Outcome:
    """Send, and read as much of the answer as is kept. Never raises for what a receiver or network does."""
    body = formats.body_of(event, target.format)
    return post(target, body, {"X-AFN-Event": event.kind, "X-AFN-Event-Id": event.pk}, delivery_id, now=now)


def post(
    target: Target, body: bytes, headers: dict[str, str], delivery_id: str, *, now: float | None = None
) -> Outcome:
    """The same for whatever is to be told: JSON, with headers that say what it is; signed where there is a
    secret.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": _AGENT,
        **headers,
        "X-AFN-Delivery": delivery_id,
    }
    if target.secrets:
        moment = int(time.time() if now is None else now)
        headers[signing.HEADER] = signing.sign(body, target.secrets, moment)
    began = time.monotonic()
    status, excerpt, error, retry_after = None, "", "", 0
    try:
        with (
            outgoing.client(timeout=TIMEOUT, deadline=DEADLINE, field="url") as client,
            client.stream("POST", target.url, content=body, headers=headers) as response,
        ):
            # The answer counts by its status, whatever becomes of its body.
            status, retry_after = response.status_code, _seconds(response.headers.get("Retry-After", ""))
            excerpt = _read(response)
    except (OutgoingRefused, httpx2.HTTPError) as problem:
        if status is None:
            error = outgoing.describe(problem)
    if status is not None and not 200 <= status < 300:
        error = f"expected a status from 200 to 299, got {status}"
        if 300 <= status < 400:
            error += "; redirects are not followed"
    duration = round((time.monotonic() - began) * 1_000, 1)
    return Outcome(
        status, target.mask(excerpt)[:MAX_EXCERPT], target.mask(error)[:MAX_ERROR], duration, retry_after
    )


def _read(response: httpx2.Response) -> str:
    """The start of the body as far as it comes; a receiver that drips is not waited for twice."""
    parts: list[bytes] = []
    try:
        for part in response.iter_bytes():
            parts.append(part)
            if sum(map(len, parts)) >= _READ:
                break
    except httpx2.HTTPError:
        pass
    text = b"".join(parts)[:_READ].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _seconds(text: str) -> int:
    # Discord sends fractions. A date is taken for none.
    whole = text.strip().partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) < 7 else 0
