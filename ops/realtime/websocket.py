"""`/ws`: events as messages in JSON, and a client that may change its mind about what it wants."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from .asgi import Receive, Send, send_soon, try_to_send, until_one_ends
from .following import Over, follow, notice
from .hub import Client, Hub
from .kinds import Filter

SUBPROTOCOL: Final = "afn"
MAX_MESSAGE: Final = 4_096


async def serve(
    client: Client, hub: Hub, receive: Receive, send: Send, *, after: str = "", subprotocol: str | None = None
) -> None:
    """From its acceptance to its end, whoever brings that about."""
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    lock = asyncio.Lock()

    async def say(text: str) -> None:
        async with lock:  # the client is answered between two events
            await send_soon(send, {"type": "websocket.send", "text": text})

    try:
        await until_one_ends(_write(client, hub, say, after), _read(client, receive, say))
    except Over as over:
        if over.resets:
            text = notice("reset", "", reason=over.reason).text
            await try_to_send(send, {"type": "websocket.send", "text": text})
        await try_to_send(send, {"type": "websocket.close", "code": over.code, "reason": over.reason[:120]})
    except (OSError, RuntimeError):  # it went away while it was written to
        return


async def _write(client: Client, hub: Hub, say: Any, after: str) -> None:
    async for message in follow(client, hub, after):
        await say(message.text)


async def _read(client: Client, receive: Receive, say: Any) -> None:
    """Until it goes away. Raises ``Over`` for what makes no sense."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text") or ""
        if message.get("bytes") or len(text) > MAX_MESSAGE:
            raise Over(1009, f"Expected text of at most {MAX_MESSAGE} characters.")
        await say(_answer(client, text))


def _answer(client: Client, text: str) -> str:
    wanted: Any = None
    with suppress(ValueError, RecursionError):
        wanted = json.loads(text)
    if not isinstance(wanted, dict):
        raise Over(4400, 'Expected {"type": "subscribe", "kinds": ["prompt.*"]} or {"type": "ping"}.')
    if wanted.get("type") == "ping":
        return json.dumps({"type": "pong"})
    kinds = wanted.get("kinds")
    if wanted.get("type") != "subscribe" or not isinstance(kinds, list):
        raise Over(4400, 'Expected {"type": "subscribe", "kinds": ["prompt.*"]} or {"type": "ping"}.')
    try:
        client.wanted = Filter.read(str(one) for one in kinds)
    except ValueError as error:
        return json.dumps({"type": "error", "detail": str(error)})
    return json.dumps({"type": "subscribed", "kinds": list(client.wanted.patterns)})
