"""Certificates of the servers that AFN connects to by TLS: are they believed, and for how long?"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from django.conf import settings

from ..examining import Case
from ..findings import Notes

_SECONDS: Final = 3.0
_SOON, _NOW = 30, 7  # days
_PORTS: Final = {"rediss": 6379}
_TLS: Final = ("https", "libsql", "wss", "rediss")
_CAUSE: Final = "After its end nobody connects any more."


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    host: str
    port: int
    authority: str = ""


def look(notes: Notes, case: Case) -> None:
    found = list(endpoints(case))
    for endpoint in found:
        _look_at(notes, case, endpoint)
    if not found:
        notes.ok("certificates", "no server is connected to by TLS")


def endpoints(case: Case) -> Iterator[Endpoint]:
    """Servers of one's own; services that cost money, or are others', only in a deep examination."""
    addresses = {
        "the database": case.target.url,
        "REDIS_URL": settings.REDIS_URL,
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "AFN_BACKUPS_S3_ENDPOINT": settings.AFN_BACKUPS_S3_ENDPOINT,
        "AFN_SQLD_ADMIN_URL": settings.AFN_SQLD_ADMIN_URL,
    }
    if case.deep:
        addresses |= {
            "OPENAI_BASE_URL": settings.OPENAI_BASE_URL,
            "AFN_LLM_BASE_URL": settings.AFN_LLM_BASE_URL,
            "CLERK_ISSUER": settings.CLERK_ISSUER,
        }
    seen = set()
    for name, address in addresses.items():
        parts = urlsplit(str(address or ""))
        if parts.scheme not in _TLS or not parts.hostname:
            continue
        port = parts.port or _PORTS.get(parts.scheme, 443)
        if (parts.hostname, port) not in seen:
            seen.add((parts.hostname, port))
            authority = parse_qs(parts.query).get("ssl_ca_certs", [""])[0]
            yield Endpoint(name, parts.hostname, port, authority)


def _look_at(notes: Notes, case: Case, endpoint: Endpoint) -> None:
    name, where = endpoint.name, f"{endpoint.host}:{endpoint.port}"
    try:
        end = end_of(endpoint)
    except OSError as error:
        notes.problem(
            name,
            f"no TLS with {where} ({type(error).__name__})",
            "What is there cannot be used.",
            "Is it running, and does it speak TLS at this port? An address with http:// or redis:// is "
            "for one that does not.",
        )
        return
    days = (end - case.now).days
    renew = f"Renew the certificate of {where}, and restart it."
    if name in ("REDIS_URL", "CELERY_BROKER_URL"):
        renew += " `manage.py init_redis_config --tls --force` makes one."
    if end < case.now:
        notes.problem(
            name, f"the certificate of {where} ended on {end:%Y-%m-%d}", "Nobody connects any more.", renew
        )
    elif reason := _refusal(endpoint):
        notes.problem(
            name,
            f"the certificate of {where} is not believed: {reason}",
            "AFN does not connect to it.",
            "Name its authority (`?ssl_ca_certs=` for Redis, SSL_CERT_FILE for others) and the host as it "
            "does.",
        )
    elif days < _NOW:
        notes.problem(name, f"the certificate of {where} ends in {days} days", _CAUSE, renew)
    elif days < _SOON:
        notes.warn(name, f"the certificate of {where} ends in {days} days", _CAUSE, renew)
    else:
        notes.ok(name, f"the certificate of {where} is good for {days:,} more days")


def end_of(endpoint: Endpoint) -> datetime:
    """When the certificate ends, whether it is believed or not: nothing is sent on this connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _connected(endpoint, context) as connection:
        content = connection.getpeercert(binary_form=True) or b""
    return x509.load_der_x509_certificate(content).not_valid_after_utc.astimezone(UTC)


def _refusal(endpoint: Endpoint) -> str:
    try:
        with _connected(endpoint, ssl.create_default_context(cafile=endpoint.authority or None)):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return type(error).__name__


def _connected(endpoint: Endpoint, context: ssl.SSLContext) -> ssl.SSLSocket:
    connection = socket.create_connection((endpoint.host, endpoint.port), timeout=_SECONDS)
    try:
        return context.wrap_socket(connection, server_hostname=endpoint.host)
    except BaseException:
        connection.close()
        raise
