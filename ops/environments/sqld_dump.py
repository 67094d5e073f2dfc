"""A database of a libSQL server as a file of SQL, which recreates it, consistent as of one moment.

The server makes a new namespace of it: ``POST /v1/namespaces/NAME/create`` of its admin API, with
``{"dump_url": "file:///…"}`` as the body.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from .base import EnvironmentProblem, ProviderFailed
from .sqld_admin import describe, tls
from .sqld_dump_repair import repaired

_TIMEOUT = httpx2.Timeout(60.0, connect=2.0)  # seconds between two pieces, not for the whole
_END = b"COMMIT;\n"


def dump(url: str, namespace: str, token: str, file: Path) -> int:
    """Write the dump of a namespace to `file`, in place of what was there; its size in bytes.

    Without a `namespace` it is the database of the address itself.

    Only its owner may read the file, and it appears when it is complete. Raises ``EnvironmentProblem``.
    """
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        size = _write(new, repaired(_pieces(url, namespace, token)))
        new.replace(file)
    except OSError as error:
        raise EnvironmentProblem(f"{file}: cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            new.unlink()
    return size


def _write(file: Path, pieces: Iterator[bytes]) -> int:
    size, end = 0, b""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        for piece in pieces:
            size += opened.write(piece)
            end = (end + piece)[-len(_END) :]
        opened.flush()
        os.fsync(opened.fileno())
    if end != _END:
        raise ProviderFailed("The server's dump broke off before its end: nothing was kept of it. Try again.")
    return size


def _pieces(url: str, namespace: str, token: str) -> Iterator[bytes]:
    headers = {"Host": f"{namespace}.{urlsplit(url).hostname}"} if namespace else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with (
            httpx2.Client(timeout=_TIMEOUT, verify=tls(), trust_env=False, follow_redirects=False) as client,
            client.stream("GET", f"{url}/dump", headers=headers) as response,
        ):
            if response.status_code != 200:
                raise ProviderFailed(
                    f"{url} did not dump {namespace or 'its database'}: status {response.status_code}. Is "
                    "there such a database, and is the token made for it?"
                )
            yield from response.iter_bytes()
    except httpx2.HTTPError as error:
        raise ProviderFailed(f"The dump from {url} broke off ({describe(error)}). Try again.") from error
