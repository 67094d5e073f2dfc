"""OpenTelemetry's traces, as far as AFN reads them: how many spans there are.

A body is an ``ExportTraceServiceRequest`` as protobuf or JSON. Of protobuf only the outer levels are walked:
resource spans (1) hold scope spans (2), and these spans (2). So no library is needed for it.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

from ..errors import RegistryProblem

JSON: Final = "application/json"
PROTOBUF: Final = "application/x-protobuf"
_LENGTH_DELIMITED: Final = 2
_FIXED: Final = {1: 8, 5: 4}  # bytes by wire type
_LARGEST: Final = 64 * 2**20  # bytes once unpacked: what OpenTelemetry's exporter makes at most
_MOST_MEMBERS: Final = 1_000_000  # looked at in one body


def count_spans(body: bytes, content_type: str, encoding: str = "") -> int:
    """Raises ``RegistryProblem`` where the body is not what its headers say."""
    if encoding == "gzip":
        body = _unpack(body)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return _count_json(body)
    if kind == PROTOBUF:
        walk = _Walk()
        groups = walk.members(memoryview(body), 1)
        return sum(1 for group in groups for scope in walk.members(group, 2) for _ in walk.members(scope, 2))
    raise RegistryProblem("Content-Type", f"{PROTOBUF} or {JSON}", repr(content_type[:80]))


def _unpack(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)  # gzip
    try:
        found = unpacking.decompress(body, _LARGEST)
    except zlib.error:
        raise _unreadable("gzip") from None
    if unpacking.unconsumed_tail:
        raise RegistryProblem("body", f"at most {_LARGEST:,} bytes once it is unpacked", "more")
    if not unpacking.eof:
        raise _unreadable("whole gzip")
    return found


def _count_json(body: bytes) -> int:
    try:
        groups = _list(json.loads(body), "resourceSpans")
        return sum(len(_list(scope, "spans")) for group in groups for scope in _list(group, "scopeSpans"))
    except (ValueError, RecursionError):
        raise _unreadable("JSON of OpenTelemetry's traces") from None


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, dict):
        raise ValueError(name)
    found = value.get(name, [])
    if not isinstance(found, list):
        raise ValueError(name)
    return found


class _Walk:
    """Through messages of protobuf; bounded, for a body may be made of nothing but empty members."""

    def __init__(self) -> None:
        self._seen = 0

    def members(self, message: memoryview, wanted: int) -> Iterator[memoryview]:
        """The members of that number, which are messages themselves."""
        at = 0
        while at < len(message):
            self._seen += 1
            if self._seen > _MOST_MEMBERS:
                raise RegistryProblem("body", f"at most {_MOST_MEMBERS:,} members", "more")
            key, at = _varint(message, at)
            number, wire = key >> 3, key & 7
            if wire == _LENGTH_DELIMITED:
                size, at = _varint(message, at)
                end = at + size
            elif wire == 0:
                end = _varint(message, at)[1]
            elif wire in _FIXED:
                end = at + _FIXED[wire]
            else:
                raise _unreadable("protobuf")
            if number == 0 or end > len(message):
                raise _unreadable("protobuf")
            if number == wanted and wire == _LENGTH_DELIMITED:
                yield message[at:end]
            at = end


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at that place, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _unreadable("protobuf")


def _unreadable(what: str) -> RegistryProblem:
    return RegistryProblem("body", what, "something else")
