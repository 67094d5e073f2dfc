"""What happens, told to whoever listens now: by WebSocket (`/ws`), by SSE (`/events`), to a command.

Events go through Redis: a stream keeps the last 10,000 and gives each its id, and a channel of Pub/Sub says
that one was added. Both are done by one script, so that all processes see the same events in the same order,
and whoever lost its connection reads on in the stream after the last id that it saw. Rows of the outbox would
not do: their ids have no order, and there is none for the progress of a job. The channel alone keeps nothing.

Without Redis the history is that of the process: what others do, it does not hear.

    publish("alert.raised", {"alert": {"name": "disk"}})
"""

from .publishing import publish

__all__ = ["publish"]
