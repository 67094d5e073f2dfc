"""What a client is sent, one thing after the other, however it is connected."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.db import DatabaseError, InterfaceError

from prompts.mcp_server.threads import in_thread

from .callers import look_again
from .events import Event, order_of
from .hub import Client, Hub
from .kinds import may_hear
from .publishing import RESET

HEARTBEAT: Final = 25.0
# So long a client may take for what it is sent; its machine and ours hold some megabytes for it meanwhile.
SEND_SECONDS: Final = 5.0
_PAGE: Final = 64
_READY_SECONDS: Final = 2.0

Type = Literal["hello", "event", "ping", "reset", "over"]


@dataclass(frozen=True, slots=True)
class Message:
    """``id`` is where to go on from; ``text`` is JSON."""

    type: Type
    id: str
    text: str


class Over(Exception):
    """The connection is to end, with a code of WebSocket and a reason."""

    def __init__(self, code: int, reason: str, *, resets: bool = False) -> None:
        super().__init__(reason)
        self.code, self.reason, self.resets = code, reason, resets


def notice(kind: Type, event_id: str, **facts: Any) -> Message:
    text = json.dumps({"type": kind, "id": event_id, **facts}, separators=(",", ":"))
    return Message(kind, event_id, text)


async def follow(client: Client, hub: Hub, after: str = "") -> AsyncIterator[Message]:
    """What the client may hear of and wants, from now on or after an event. Raises ``Over``.

    The position is read before anything is awaited: what happens meanwhile is sent later, and once.
    """
    await _ready(hub)
    history = hub.history
    client.gaps = history.gaps
    found = history.position_after(order_of(after)) if after else None
    seen, client.position = history.end() if found is None else (after, found)
    yield notice("hello", seen, kinds=list(client.wanted.patterns), heartbeat=HEARTBEAT)
    if after and found is None:
        yield notice("reset", seen, reason="What followed on that id is not kept any more: read anew.")
    loop = asyncio.get_running_loop()
    due = loop.time() + HEARTBEAT
    while True:
        client.bell.clear()
        events = history.read(client.position, _PAGE)
        if events is None:
            if client.gaps == history.gaps:
                raise Over(1013, "Too slow: events are gone that were not read.", resets=True)
            client.gaps = history.gaps  # Redis was away, and has not kept what there was
            seen, client.position = history.end()
            yield notice("reset", seen, reason="Some events may be missing: read anew.")
            continue
        for event in events:
            client.position += 1
            seen = event.id
            if (message := _message(client, event)) is not None:
                yield message
        if loop.time() >= due:
            due = loop.time() + HEARTBEAT
            await _check(client)
            yield notice("ping", seen)
        elif not events:
            await _wait(client, due - loop.time())


def _message(client: Client, event: Event) -> Message | None:
    if event.kind == RESET:
        return notice("reset", event.id, reason="Some events are missing: read anew.")
    if may_hear(event.kind, client.caller.permissions) and client.wanted.wants(event.kind):
        return Message("event", event.id, event.text)
    return None


async def _ready(hub: Hub) -> None:
    """Wait for what is kept to be read, but not for a Redis that is down."""
    hub.feed.start()
    end = time.monotonic() + _READY_SECONDS
    while not hub.feed.is_ready.is_set() and time.monotonic() < end:
        await asyncio.sleep(0.02)


async def _check(client: Client) -> None:
    """Whether key, session and account still count, and for what."""
    try:
        caller = await in_thread(look_again, client.caller)
    except (DatabaseError, InterfaceError):  # it says nothing now; it is asked again soon
        return
    if caller is None:
        raise Over(4401, "The key, session or account is over.")
    client.caller = caller


async def _wait(client: Client, seconds: float) -> None:
    try:
        await asyncio.wait_for(client.bell.wait(), max(0.0, seconds))
    except TimeoutError:
        return
