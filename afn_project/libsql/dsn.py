"""Reading ``DATABASES[...]["NAME"]``: a path, ``file:…``, ``libsql://…?authToken=…`` or ``http(s)://…``."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured


class Secret(str):
    """A text that shows itself nowhere: debug pages print the repr of every local variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


REMOTE_SCHEMES = ("libsql", "http", "https", "ws", "wss")


@dataclass(frozen=True)
class Target:
    """Where a database lives. Either ``path`` (a file name or SQLite URI) or ``url`` is set."""

    path: str = ""
    url: str = ""
    auth_token: str = field(default="", repr=False)  # a secret: never part of a message

    @property
    def is_remote(self) -> bool:
        return bool(self.url)

    @property
    def is_memory(self) -> bool:
        return self.path == ":memory:" or (self.path.startswith("file:") and "mode=memory" in self.path)


def parse_name(name: str | Path | None) -> Target:
    """Split a NAME into its target; ``libsql://`` stands for ``https://``, as in Turso's own clients.

    Raises ``ImproperlyConfigured`` for a remote URL without a host.
    """
    if isinstance(name, Path):
        return Target(path=str(name))
    name = name or ""
    scheme, separator, _ = name.partition("://")
    if not separator or scheme not in REMOTE_SCHEMES:
        return Target(path=name)
    parts = urlsplit(name)
    if not parts.hostname:
        raise ImproperlyConfigured(f"The database NAME {scheme}://… has no host name.")
    token = parse_qs(parts.query).get("authToken", [""])[0]
    secure = {"libsql": "https", "ws": "http", "wss": "https"}.get(scheme, scheme)
    return Target(url=f"{secure}://{parts.netloc}{parts.path}".rstrip("/"), auth_token=token)
