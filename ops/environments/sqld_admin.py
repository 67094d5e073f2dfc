"""The admin API of a self-hosted libSQL server (sqld), as far as environments need it.

Measured on sqld 0.24.32: it takes any name, even one that leads out of its folder and whose deletion removes
other folders, so that a name is checked once more before it enters an address here. It answers paths that it
does not know with status 200, so that an answer counts only if it looks like one of the admin API.
"""

import re
import ssl
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from .base import NameTaken, NotConfigured, ProviderFailed, UnknownEnvironment, check_name
from .secret_text import SecretText

_CONNECT_SECONDS = 2.0
_QUICK_SECONDS = 10.0
_GLANCE_SECONDS = 1.0
_WORK_SECONDS = 600.0  # a fork copies the whole database before it answers
Config = dict[str, Any]


class Admin:
    """The admin API at `url`, which ``--admin-listen-addr`` opens, with the key of ``--admin-auth-key``.

    A name that is not strict raises ``WrongName`` and sends nothing; every other failure is a
    ``ProviderFailed`` that names the address, never the key.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self.url = _checked_url(url)
        self._headers = {}
        if key:
            if not re.fullmatch(r"[\x21-\x7e]+", key):
                raise NotConfigured(
                    "AFN_SQLD_ADMIN_KEY: expected visible ASCII characters without spaces, got others."
                )
            self._headers["Authorization"] = SecretText(f"Basic {key}")

    def exists(self, namespace: str) -> bool:
        return self.config(namespace) is not None

    def create(self, namespace: str) -> None:
        """Make an empty namespace. Raises ``NameTaken``."""
        self._send("POST", f"{_checked(namespace)}/create", body={}, seconds=_WORK_SECONDS)

    def fork(self, source: str, namespace: str) -> None:
        """Copy a namespace as it is at one moment, with its configuration. Raises ``NameTaken``."""
        path = f"{_checked(source)}/fork/{_checked(namespace)}"
        if self._send("POST", path, seconds=_WORK_SECONDS) is None:
            raise self._missing(source)

    def delete(self, namespace: str) -> bool:
        """Remove a namespace and all that is in it; False where there was none."""
        return self._send("DELETE", _checked(namespace), seconds=_WORK_SECONDS) is not None

    def config(self, namespace: str, *, seconds: float = _QUICK_SECONDS) -> Config | None:
        """The configuration of a namespace, None where there is none."""
        config = self._send("GET", f"{_checked(namespace)}/config", seconds=seconds)
        if config is not None and "block_writes" not in config:
            raise self._foreign()
        return config

    def config_if_made(self, namespace: str) -> Config | None:
        """The configuration, None also while the namespace is being forked: then the server only answers
        when that is done."""
        try:
            return self.config(namespace, seconds=_GLANCE_SECONDS)
        except ProviderFailed as error:
            if isinstance(error.__cause__, httpx2.ReadTimeout):
                return None
            raise

    def change_config(self, namespace: str, **changes: Any) -> None:
        """Set fields of the configuration and keep the others: leaving out ``jwt_key`` would erase it."""
        config = self.config(namespace)
        if config is None or self._send("POST", f"{namespace}/config", body={**config, **changes}) is None:
            raise self._missing(namespace)

    def size(self, namespace: str) -> int | None:
        """Bytes that a namespace takes, None where there is none."""
        stats = self._send("GET", f"{_checked(namespace)}/stats")
        if stats is None:
            return None
        if not isinstance(stats.get("storage_bytes_used"), int):
            raise self._foreign()
        return int(stats["storage_bytes_used"])

    def _send(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        body: Config | None = None,
        seconds: float = _QUICK_SECONDS,
    ) -> Config | None:
        """The object in the answer, empty where it has none, or None where there is no such namespace."""
        timeout = httpx2.Timeout(seconds, connect=_CONNECT_SECONDS)
        try:
            # No proxy of the environment gets to see the key; a redirect is not followed.
            with httpx2.Client(
                headers=self._headers, timeout=timeout, verify=tls(), trust_env=False, follow_redirects=False
            ) as client:
                response = client.request(method, f"{self.url}/v1/namespaces/{path}", json=body)
        except httpx2.HTTPError as error:
            raise ProviderFailed(
                f"The admin API at {self.url} gave no answer ({describe(error)}). Does the server run, with "
                "--admin-listen-addr, and is AFN_SQLD_ADMIN_URL its address?"
            ) from error
        return self._read(response)

    def _read(self, response: httpx2.Response) -> Config | None:
        status, kind = response.status_code, response.headers.get("content-type", "")
        if status in (401, 403):
            raise ProviderFailed(
                f"The admin API at {self.url} refused the key. Set AFN_SQLD_ADMIN_KEY to what the server "
                "has as --admin-auth-key."
            )
        if status == 200 and not response.content and not kind:
            return {}
        answer = _json_object(response)
        message = "".join(letter for letter in str(answer.get("error", ""))[:200] if letter.isprintable())
        if status == 200 and answer:
            return answer
        if status == 404 and "doesn't exist" in message:
            return None
        if status == 400 and "already exists" in message:
            raise NameTaken(f"The server holds a namespace of that name already ({message}).")
        if message:
            raise ProviderFailed(f"The admin API at {self.url} refused, with status {status}: {message}")
        raise self._foreign()

    def _foreign(self) -> ProviderFailed:
        return ProviderFailed(
            f"What answers at {self.url} is not the admin API of a libSQL server. Set AFN_SQLD_ADMIN_URL to "
            "the address of its --admin-listen-addr."
        )

    def _missing(self, namespace: str) -> UnknownEnvironment:
        return UnknownEnvironment(f"The server at {self.url} holds no namespace {namespace!r}.")


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """Certificates are verified as for queries; SSL_CERT_FILE names an authority of one's own."""
    return ssl.create_default_context()


def describe(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "not in time"
    if isinstance(error, httpx2.LocalProtocolError):
        return "it could not be sent"  # its text may quote a header
    return str(error) or type(error).__name__


def _checked(namespace: str) -> str:
    check_name(namespace)
    return namespace


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        # No user name or password: they would show in messages.
        is_plain = is_plain and re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", parts.netloc) is not None
        is_plain = is_plain and not (parts.path.strip("/") or parts.query or parts.fragment)
    except ValueError:  # its text may quote a password, so it is not shown
        is_plain = False
    if not is_plain:
        raise NotConfigured(
            "AFN_SQLD_ADMIN_URL: expected http(s)://host:port of the server's --admin-listen-addr, no more."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _json_object(response: httpx2.Response) -> Config:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
