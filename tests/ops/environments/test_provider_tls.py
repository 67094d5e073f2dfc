"""Keys and tokens go to nobody whose certificate is not verified."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.environments.base import ProviderFailed
from ops.environments.sqld_admin import Admin, tls
from ops.environments.sqld_dump import dump
from ops.environments.turso_api import Api
from tests.engine.remote.test_tls import TlsProxy, certificate
from tests.servers import HOST

from .turso_server import API_TOKEN, ORGANIZATION, Turso, turso


@pytest.fixture(autouse=True)
def fresh_trust() -> Iterator[None]:
    """Authorities are read once a process."""
    tls.cache_clear()
    yield
    tls.cache_clear()


@contextmanager
def proxied(server: Turso, file: Path) -> Iterator[str]:
    """The server's address with TLS."""
    proxy = TlsProxy(file, server.server_address[1])
    proxy.start()
    try:
        yield f"https://{HOST}:{proxy.port}"
    finally:
        proxy.listener.close()


def uses(url: str, folder: Path) -> list[Callable[[], object]]:
    api = Api(url=url, organization=ORGANIZATION, token=API_TOKEN, pause=lambda seconds: None)
    return [
        lambda: api.databases("default"),
        lambda: Admin(url, "canary-key").exists("a"),
        lambda: dump(url, "a", "canary-token", folder / "dump.sql"),
    ]


@pytest.mark.parametrize("name", [HOST, "elsewhere.example"])
def test_a_certificate_of_nobody_or_for_another_name_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = certificate(tmp_path, name)
    if name != HOST:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with turso() as server, proxied(server, file) as url:
        for use in uses(url, tmp_path):
            with pytest.raises(ProviderFailed, match=r"(?i)certificate") as raised:
                use()
            assert "canary" not in f"{raised.value} {raised.value.__cause__}"
        assert server.requests == []


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with turso() as server, proxied(server, file) as url:
        assert uses(url, tmp_path)[0]() == []
        assert len(server.requests) == 1
