"""What both protocols of a stream share: types of ASGI, sending within a time, answers to who is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Final

from .following import SEND_SECONDS, Over

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_LAST_SECONDS: Final = 1.0


async def send_soon(send: Send, message: MutableMapping[str, Any]) -> None:
    """Raises ``Over`` where the client does not take it."""
    try:
        await asyncio.wait_for(send(message), SEND_SECONDS)
    except TimeoutError as error:
        raise Over(1013, "Too slow: what was sent was not read.", resets=True) from error


async def try_to_send(send: Send, message: MutableMapping[str, Any]) -> None:
    """For last words: who is gone does not hear them."""
    try:
        await asyncio.wait_for(send(message), _LAST_SECONDS)
    except (TimeoutError, OSError, RuntimeError):
        return


async def until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them side by side until one is over, end the others, and raise what it raised. Nobody waits for the
    client by then: while somebody does, Granian sends no close.
    """
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def refuse(
    scope: Scope, send: Send, status: int, detail: Any, headers: Mapping[str, str] | None = None
) -> None:
    """Answer instead of beginning a stream, in JSON. Of a WebSocket's answer browsers show nothing."""
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 4403, "reason": str(detail)[:120]})
            return
    body = json.dumps({"detail": detail}).encode()
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    pairs = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": pairs})
    await send({"type": f"{kind}.body", "body": body})
