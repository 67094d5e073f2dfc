"""Reading ``DATABASES[...]["NAME"]``: a path, ``file:…``, ``libsql://…?authToken=…`` or
``http(s)://…?namespace=…``."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured


class Secret(str):
    """A text that shows itself nowhere: debug pages print the repr of every local variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


NAMESPACE = re.compile(r"[a-z][a-z0-9-]{0,62}")
REMOTE_SCHEMES = ("libsql", "http", "https", "ws", "wss")


@dataclass(frozen=True)
class Target:
    """Where a database lives. Either ``path`` (a file name or SQLite URI) or ``url`` is set."""

    path: str = ""
    url: str = ""
    namespace: str = ""  # of a self-hosted server; empty where the host name says it
    auth_token: str = field(default="", repr=False)  # a secret: never part of a message

    @property
    def is_remote(self) -> bool:
        return bool(self.url)

    @property
    def is_memory(self) -> bool:
        return self.path == ":memory:" or (self.path.startswith("file:") and "mode=memory" in self.path)

    @property
    def name(self) -> str:
        """The NAME that leads here, without the token."""
        if not self.is_remote:
            return self.path
        return f"{self.url}?namespace={self.namespace}" if self.namespace else self.url

    @property
    def file(self) -> Path:
        """The file that a local path or URI names."""
        return Path(self.path.removeprefix("file:").partition("?")[0])

    @property
    def is_turso(self) -> bool:
        return (urlsplit(self.url).hostname or "").endswith(".turso.io")

    def with_namespace(self, namespace: str) -> Self:
        return replace(self, namespace=namespace)


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
    if "@" in parts.netloc:  # it would show in messages, and no server asks for it
        raise ImproperlyConfigured(
            f"The database NAME {scheme}://… has a user or password: expected ?authToken=… instead."
        )
    try:
        parts.port  # noqa: B018 - read for its error
    except ValueError:
        raise ImproperlyConfigured(
            f"The database NAME {scheme}://…: expected a port up to 65535 after the host name."
        ) from None
    query = parse_qs(parts.query)
    token, namespace = query.get("authToken", [""])[0], query.get("namespace", [""])[0]
    if namespace and not NAMESPACE.fullmatch(namespace):
        # The server takes any name, even one that leads out of its folder.
        raise ImproperlyConfigured(
            f"The database NAME {scheme}://…: expected a namespace of 1 to 63 lower-case letters, digits and "
            f"hyphens that begins with a letter, got {namespace[:80]!r}."
        )
    secure = {"libsql": "https", "ws": "http", "wss": "https"}.get(scheme, scheme)
    return Target(
        url=f"{secure}://{parts.netloc}{parts.path}".rstrip("/"),
        namespace=namespace,
        auth_token=Secret(token),
    )
