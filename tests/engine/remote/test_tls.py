"""TLS to a server: its certificate is verified, and an authority of one's own can be named."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from afn_project.libsql import dbapi, errors, wire
from tests.servers import HOST
from tests.sqld import Sqld


def certificate(folder: Path, name: str) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == HOST:
        alternatives = [x509.IPAddress(ip_address(name))]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + built.public_bytes(Encoding.PEM))
    return file


class TlsProxy(threading.Thread):
    """Takes TLS connections and hands their bytes on to a server that speaks none."""

    def __init__(self, file: Path, target: int) -> None:
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)
        self.target = target
        self.listener = socket.create_server((HOST, 0))
        self.port: int = self.listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain: socket.socket) -> None:
        try:
            with (
                self.context.wrap_socket(plain, server_side=True) as client,
                socket.create_connection((HOST, self.target)) as server,
            ):
                threading.Thread(target=self.copy, args=(server, client), daemon=True).start()
                self.copy(client, server)
        except OSError:
            pass  # who does not trust us hangs up

    def copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while content := source.recv(65_536):
                target.sendall(content)
        except OSError:
            pass


@pytest.fixture
def tls_port(request: pytest.FixtureRequest, tmp_path: Path, server: Sqld) -> Iterator[int]:
    proxy = TlsProxy(certificate(tmp_path, request.param), server.port)
    proxy.start()
    yield proxy.port
    proxy.listener.close()


@pytest.fixture(autouse=True)
def fresh_trust() -> Iterator[None]:
    wire.tls.cache_clear()
    yield
    wire.tls.cache_clear()


def connect(port: int, server: Sqld, namespace: str) -> dbapi.Connection:
    return dbapi.connect(f"https://{HOST}:{port}?namespace={namespace}", auth_token=server.token())


@pytest.mark.parametrize("tls_port", [HOST], indirect=True)
def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    tls_port: int, server: Sqld, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / f"{HOST}.pem"))
    assert connect(tls_port, server, namespace).execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("tls_port", [HOST], indirect=True)
def test_an_unknown_authority_is_refused(tls_port: int, server: Sqld, namespace: str) -> None:
    with pytest.raises(errors.ServerUnreachable, match="certificate is not trusted"):
        connect(tls_port, server, namespace).execute("SELECT 1")


@pytest.mark.parametrize("tls_port", ["elsewhere.example"], indirect=True)
def test_a_certificate_for_another_name_is_refused(
    tls_port: int, server: Sqld, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "elsewhere.example.pem"))
    with pytest.raises(errors.ServerUnreachable, match="certificate is not trusted"):
        connect(tls_port, server, namespace).execute("SELECT 1")
