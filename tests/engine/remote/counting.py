"""How many round trips a block takes: each request to a server passes through ``Stream.pipeline``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from afn_project.libsql.hrana import Stream


@contextmanager
def counted_round_trips() -> Iterator[list[Any]]:
    """Yield a list that gets the requests of each round trip; they are sent as ever."""
    sent: list[Any] = []
    send = Stream.pipeline

    def pipeline(self: Stream, requests: Any, timeout: float) -> Any:
        sent.append(requests)
        return send(self, requests, timeout)

    with mock.patch.object(Stream, "pipeline", pipeline):
        yield sent
