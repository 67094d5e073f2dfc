"""Answers kept to be given again: in this process, and in the Redis that all processes share."""

import hashlib
import json
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from . import epoch, shared

SHARED_SECONDS: Final = 3_600
_OVERHEAD: Final = 600  # bytes that an entry takes beside its body


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 200, and its ETag. A signed one is signed anew for each key."""

    body: bytes
    etag: str
    content_type: str = "application/json; charset=utf-8"
    is_signed: bool = False

    @classmethod
    def of(cls, body: bytes, *, is_signed: bool = False) -> "Answer":
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', is_signed=is_signed)


class Memory:
    """What was answered last, with the epoch that it is of, up to so many bytes of bodies.

    Threads share it. An entry of a past epoch stays: it stands in while the database is down, and what
    nobody asks for any more is the first to go.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._size = 0
        self._entries: OrderedDict[str, tuple[str, Answer]] = OrderedDict()

    def get(self, asked: str) -> tuple[str, Answer] | None:
        with self._lock:
            entry = self._entries.get(asked)
            if entry is not None:
                self._entries.move_to_end(asked)
            return entry

    def put(self, asked: str, epoch: str, answer: Answer) -> None:
        size = len(answer.body) + _OVERHEAD
        if size > self._limit:
            return
        with self._lock:
            if before := self._entries.pop(asked, None):
                self._size -= len(before[1].body) + _OVERHEAD
            self._entries[asked] = epoch, answer
            self._size += size
            while self._size > self._limit:
                _, (_, oldest) = self._entries.popitem(last=False)
                self._size -= len(oldest.body) + _OVERHEAD


_memory: Final = Memory(int(settings.AFN_SERVING_CACHE_MB * 1_000_000))


def look(asked: str) -> tuple[str, Answer | None, str]:
    """The epoch now; its answer to what is asked, if it is kept; and where: ``memory`` or ``shared``.

    Raises ``DatabaseError`` where the epoch cannot be told.
    """
    entry = _memory.get(asked)
    if entry is None:
        now, packed = epoch.current_and(_name(asked))
    else:
        now, packed = epoch.current(), None
        if entry[0] == now:
            return now, entry[1], "memory"
        if shared.is_configured():
            with suppress(shared.Unavailable):
                packed = shared.call("GET", _name(asked))
    kept = _unpack(packed) if packed else None
    if kept is None or kept[0] != now:
        return now, None, ""
    _memory.put(asked, *kept)
    return now, kept[1], "shared"


def keep(now: str, asked: str, answer: Answer) -> None:
    """Of the epoch `now`, which was taken before what is in the answer was read."""
    _memory.put(asked, now, answer)
    if shared.is_configured():
        with suppress(shared.Unavailable):
            shared.call("SET", _name(asked), _pack(now, answer), "EX", SHARED_SECONDS)


def last(asked: str) -> Answer | None:
    """The last answer that is known, of whatever epoch."""
    entry = _memory.get(asked)
    return entry[1] if entry else None


def _name(asked: str) -> str:
    digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
    return f"afn:serving:{epoch.database()}:{digest}"


def _pack(now: str, answer: Answer) -> bytes:
    head = json.dumps([now, answer.etag, answer.content_type, answer.is_signed])
    return head.encode() + b"\n" + answer.body


def _unpack(packed: bytes) -> tuple[str, Answer]:
    head, _, body = packed.partition(b"\n")
    now, etag, content_type, is_signed = json.loads(head)
    return now, Answer(body, etag, content_type, is_signed)
