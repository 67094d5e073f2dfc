"""A certificate for Redis: one of one's own making, or given files that are looked at before Redis does.

The authority's key signs this one certificate and is never stored, so nobody can sign another one with it.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME: Final = timedelta(days=825)  # the most that clients of Apple's take
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class CertificateProblem(Exception):
    """The files are no certificate, key and authority that go together."""


@dataclass(frozen=True, slots=True)
class Files:
    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Made:
    """In PEM."""

    certificate: bytes
    key: bytes
    authority: bytes


def make(host: str, *, now: datetime | None = None) -> Made:
    """A certificate for `host` and for this machine, its key, and the certificate that signed it."""
    begin = (now or datetime.now(UTC)) - timedelta(hours=1)  # clocks differ
    signing, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _name("AFN's own authority for Redis"), _name("Redis of AFN")
    authority = (
        _builder(issuer, issuer, signing.public_key(), begin)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    names = [_general_name(name) for name in dict.fromkeys((host, *_LOOPBACK))]
    certificate = (
        _builder(subject, issuer, own.public_key(), begin)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Made(certificate.public_bytes(Encoding.PEM), key, authority.public_bytes(Encoding.PEM))


def check(files: Files) -> Files:
    """The same with absolute paths, which Redis needs. Raises ``CertificateProblem``."""
    found = Files(*(path.expanduser().resolve() for path in (files.certificate, files.key, files.authority)))
    for option, path in (
        ("--tls-cert", found.certificate),
        ("--tls-key", found.key),
        ("--tls-ca", found.authority),
    ):
        if not path.is_file():
            raise CertificateProblem(f"{option}: expected a file in PEM, got {path}, which is none.")
    try:
        # An empty password, else Python would ask at the terminal for that of an encrypted key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.certificate, found.key, password="")
    except (OSError, ValueError) as error:
        raise CertificateProblem(
            "--tls-key: expected the key, without a password, of the certificate of --tls-cert, both in PEM "
            f"and readable, got others ({_reason(error)})."
        ) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(found.authority)
    except (OSError, ValueError) as error:
        raise CertificateProblem(
            f"--tls-ca: expected certificates in PEM, got others ({_reason(error)})."
        ) from error
    return found


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(begin).not_valid_after(begin + LIFETIME)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
