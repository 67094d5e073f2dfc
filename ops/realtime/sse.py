"""`/events`: the same as `/ws`, in one direction, for `EventSource`, curl and whatever reads lines."""

from __future__ import annotations

from typing import Final

from .asgi import Receive, Send, send_soon, try_to_send, until_one_ends
from .following import Message, Over, follow, notice
from .hub import Client, Hub

RETRY_MS: Final = 3_000
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
)


async def serve(
    client: Client, hub: Hub, receive: Receive, send: Send, *, after: str = "", headers: dict[str, str]
) -> None:
    pairs = [*_HEADERS, *((name.lower().encode(), value.encode()) for name, value in headers.items())]
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    try:
        await until_one_ends(_write(client, hub, send, after), _read(receive))
    except Over as over:
        last = notice("reset" if over.resets else "over", "", reason=over.reason)
        await try_to_send(send, _chunk(render(last)))
    except (OSError, RuntimeError):  # it went away while it was written to
        return
    await try_to_send(send, {"type": "http.response.body", "body": b""})


def render(message: Message) -> str:
    """An id alone moves the reader's last one on, and is no event to it."""
    lines = [f"id: {message.id}"] if message.id else []
    if message.type == "ping":
        lines.insert(0, ": ping")
    else:
        if message.type != "event":
            lines.append(f"event: {message.type}")
        lines.append(f"data: {message.text}")
    return "\n".join(lines) + "\n\n"


async def _write(client: Client, hub: Hub, send: Send, after: str) -> None:
    await send_soon(send, _chunk(f"retry: {RETRY_MS}\n\n"))
    async for message in follow(client, hub, after):
        await send_soon(send, _chunk(render(message)))


async def _read(receive: Receive) -> None:
    """Until it goes away; what else it sends is of no interest."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunk(text: str) -> dict[str, object]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
