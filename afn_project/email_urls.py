"""The address of a mail server, as AFN_EMAIL_URL has it."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_PORTS: Final = {"smtps": 465, "smtp+tls": 587, "smtp": 25}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_EXPECTED: Final = (
    "AFN_EMAIL_URL: expected an address such as smtps://user:password@mail.example.org (smtps, smtp+tls or "
    "smtp), got something else."
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """`is_tls`: from the start (port 465); `starts_tls`: after the greeting (port 587)."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls: bool
    starts_tls: bool


def read_email_url(url: str) -> MailServer:
    """Raises ``ImproperlyConfigured``, which quotes nothing of it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(_EXPECTED) from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(_EXPECTED)
    if parts.password and parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        raise ImproperlyConfigured(
            "AFN_EMAIL_URL: expected smtps:// or smtp+tls:// where there is a password, got smtp://."
        )
    return MailServer(
        parts.hostname,
        port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        is_tls=parts.scheme == "smtps",
        starts_tls=parts.scheme == "smtp+tls",
    )
