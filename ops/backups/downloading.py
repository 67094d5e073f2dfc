"""Sending a backup to a browser: a piece at a time, whatever its size."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from .errors import BackupProblem
from .folder import StoredBackup

_PIECE: Final = 256 * 1024


def send(request: HttpRequest, backup: StoredBackup) -> StreamingHttpResponse:
    """The file as it is. Raises ``BackupProblem`` where it cannot be read."""
    try:
        descriptor = os.open(backup.path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise BackupProblem(f"{backup.name} cannot be read: {error.strerror}.") from error
    opened = os.fdopen(descriptor, "rb")
    is_asgi = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        _later(opened) if is_asgi else _pieces(opened), content_type="application/octet-stream"
    )
    response.headers["Content-Length"] = str(os.fstat(opened.fileno()).st_size)
    # Its name is of letters, digits and hyphens.
    response.headers["Content-Disposition"] = f'attachment; filename="{backup.name}"'
    response.headers["Content-Encoding"] = "identity"  # nothing is gained by compressing it once more
    return response


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(_PIECE):
            yield piece


async def _later(opened: BinaryIO) -> AsyncIterator[bytes]:
    """By ASGI Django would read all of it into memory first."""
    with opened:
        while piece := await sync_to_async(opened.read, thread_sensitive=False)(_PIECE):
            yield piece
