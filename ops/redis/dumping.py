"""All that a Redis holds, as the file that it loads when it starts (RDB).

It is sent as to a replica, so that the server may be on another machine, and its user needs neither keys nor
files. The server forks for it and goes on answering. No program beside it is needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from redis import Connection, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_SECONDS: Final = 120.0  # for the server to begin, and between two pieces
_PIECE: Final = 1 << 20
_START, _END = b"REDIS", 0xFF
_CHECKSUM: Final = 8


class NotDumped(Exception):
    """The dump could not be had, or is not whole; nothing of it is kept. Never names a password."""


def dump(url: str, target: Path, told: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Write the RDB file of the server at `url` to `target`, which is not there yet; its size in bytes.

    Raises ``NotDumped``.
    """
    once = Retry(NoBackoff(), 0)
    try:
        with Redis.from_url(url, socket_connect_timeout=5.0, socket_timeout=_SECONDS, retry=once) as client:
            connection: Any = client.connection_pool.get_connection()
            connection.connect()
            # Only the file, not what is written afterwards.
            connection.send_command("REPLCONF", "rdb-only", "1")
            connection.read_response()
            connection.send_command("SYNC")
            return _receive(connection, target, told)
    except (RedisError, OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise NotDumped(
            f"Redis did not send what it holds ({type(error).__name__}). Expected an address such as "
            "redis://backup:password@host:6379 of a user with the rights of `backup` (docs/redis.md)."
        ) from error
    except NotDumped:
        target.unlink(missing_ok=True)
        raise


def _receive(connection: Connection, target: Path, told: Callable[[int, int], None]) -> int:
    # The answer is no message of the protocol: a line with the length, and then the bytes without an end.
    socket: Any = connection._sock
    line = _line(socket)
    if not line.startswith(b"$") or not line[1:].isdigit():
        raise NotDumped("Redis answered with something else than what it holds. Is it Redis 7 or later?")
    size, done = int(line[1:]), 0
    start, end = b"", b""
    with target.open("xb") as opened:
        target.chmod(0o600)
        while done < size:
            piece = socket.recv(min(_PIECE, size - done))
            if not piece:
                raise NotDumped(f"Redis broke off after {done:,} of {size:,} bytes. Try again.")
            opened.write(piece)
            start, end = (start + piece)[: len(_START)], (end + piece)[-_CHECKSUM - 1 :]
            done += len(piece)
            told(done, size)
    if start != _START or end[0] != _END:
        raise NotDumped("What Redis sent is not a whole RDB file. Try again.")
    return size


def _line(socket: Any) -> bytes:
    """The first line that is not empty: a server that prepares sends ends of lines as a sign of life."""
    line = b""
    while True:
        letter = socket.recv(1)
        if not letter:
            raise NotDumped("Redis closed the connection. Its log says why.")
        if letter == b"\n":
            if line.strip():
                return line.strip()
            line = b""
        else:
            line += letter
        if len(line) > 200:
            raise NotDumped("Redis answered with something else than what it holds.")
