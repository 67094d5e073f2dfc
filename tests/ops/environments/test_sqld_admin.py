"""The client of the admin API, on a real server and on what may answer in its place."""

import logging
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ops.environments.base import NameTaken, NotConfigured, ProviderFailed, UnknownEnvironment, WrongName
from ops.environments.sqld_admin import Admin
from tests.servers import HOST, free_port
from tests.sqld import ADMIN_KEY, Sqld, company_sqld

pytestmark = pytest.mark.sqld

HOSTILE = ["..%2f", "a/../b", "..", "Prod", "a" * 64, "", "a b", "prod\n", "prod?x", "ｐｒｏｄ"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("admin")) as running:
        yield running


@pytest.fixture
def admin(server: Sqld) -> Admin:
    return Admin(server.admin_url, ADMIN_KEY)


@pytest.fixture
def namespace(admin: Admin) -> Iterator[str]:
    admin.create("main")
    yield "main"
    admin.delete("main")


def test_a_namespace_from_its_making_to_its_end(admin: Admin) -> None:
    assert not admin.exists("one")
    admin.create("one")
    assert admin.exists("one")
    assert admin.size("one") == 0
    with pytest.raises(NameTaken):
        admin.create("one")
    admin.fork("one", "two")
    with pytest.raises(NameTaken):
        admin.fork("one", "two")
    assert admin.delete("one")
    assert not admin.delete("one")
    assert admin.exists("two")
    assert admin.delete("two")


def test_an_unknown_namespace_is_none_or_a_problem(admin: Admin) -> None:
    assert admin.config("nowhere") is None
    assert admin.config_if_made("nowhere") is None
    assert admin.size("nowhere") is None
    with pytest.raises(UnknownEnvironment, match="'nowhere'"):
        admin.fork("nowhere", "copy")
    with pytest.raises(UnknownEnvironment, match="'nowhere'"):
        admin.change_config("nowhere", block_writes=True)
    assert not admin.exists("copy")


def test_a_change_keeps_every_other_field(admin: Admin, server: Sqld, namespace: str) -> None:
    public = server.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = urlsafe_b64encode(public).decode().rstrip("=")  # that checks the tokens of this namespace
    own = {"jwt_key": key, "max_db_size": "10.0 MB", "txn_timeout_s": 7, "allow_attach": True}
    admin.change_config(namespace, **own)
    before = admin.config(namespace)
    assert before is not None
    assert own.items() <= before.items()
    admin.change_config(namespace, block_writes=True, block_reason="moving")
    assert admin.config(namespace) == before | {"block_writes": True, "block_reason": "moving"}
    admin.change_config(namespace, block_writes=False, block_reason=None)
    assert admin.config(namespace) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_never_sent(name: str) -> None:
    admin = Admin(f"http://{HOST}:{free_port()}", ADMIN_KEY)  # nobody listens: a request would fail otherwise
    uses: list[Callable[[], object]] = [
        lambda: admin.create(name),
        lambda: admin.delete(name),
        lambda: admin.fork(name, "a"),
        lambda: admin.fork("a", name),
        lambda: admin.config(name),
        lambda: admin.config_if_made(name),
        lambda: admin.change_config(name, block_writes=True),
        lambda: admin.size(name),
        lambda: admin.exists(name),
    ]
    for use in uses:
        with pytest.raises(WrongName):
            use()


def test_nobody_listening_is_said_with_the_setting() -> None:
    url = f"http://{HOST}:{free_port()}"
    with pytest.raises(ProviderFailed, match=f"{url} gave no answer.*AFN_SQLD_ADMIN_URL"):
        Admin(url, ADMIN_KEY).exists("a")


@pytest.mark.parametrize("key", ["", "canary-wrong", f"{ADMIN_KEY}x"])
def test_a_wrong_key_is_refused_and_not_shown(
    server: Sqld, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    admin = Admin(server.admin_url, key)
    with pytest.raises(ProviderFailed, match="AFN_SQLD_ADMIN_KEY") as raised:
        admin.delete("default")
    assert "canary" not in f"{raised.value} {raised.value.__cause__} {vars(admin)} {caplog.text}"


@pytest.mark.parametrize("key", ["canary key", "canary\nkey", "canarykéy", "canary\x00"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(NotConfigured, match="AFN_SQLD_ADMIN_KEY") as raised:
        Admin("http://localhost:1", key)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8081",
        "ftp://localhost",
        "http://",
        "http://user:canary@localhost:1",
        "http://localhost:canary",
        "http://localhost:1/path",
        "http://localhost:1?canary",
        "http://local host:1",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NotConfigured, match="AFN_SQLD_ADMIN_URL") as raised:
        Admin(url, ADMIN_KEY)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://[::1]:8081/", "https://sqld.example.org", "http://sqld_1:8081"])
def test_addresses_that_are_right(url: str) -> None:
    assert Admin(url).url == url.rstrip("/")


def test_the_address_for_queries_is_not_taken_for_the_admin_api(server: Sqld) -> None:
    with pytest.raises(ProviderFailed, match="not the admin API"):
        Admin(server.url, ADMIN_KEY).exists("a")


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "application/grpc", b""),  # as the admin API answers a path that it does not know
        (200, "text/html", b"<html>"),
        (200, "application/json", b"[]"),
        (200, "application/json", b'{"hello": 1}'),
        (302, "", b""),
        (404, "", b""),
        (404, "application/json", b'{"error": "no such page"}'),
        (500, "", b""),
        (500, "application/json", b'{"error": "disk full"}'),
    ],
)
def test_an_answer_that_is_none_changes_nothing_and_is_a_failure(status: int, kind: str, body: bytes) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    paths: list[str] = []
    with HTTPServer((HOST, 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        admin = Admin(f"http://{HOST}:{stranger.server_port}", ADMIN_KEY)
        for use in (lambda: admin.exists("a"), lambda: admin.size("a")):
            with pytest.raises(ProviderFailed) as raised:
                use()
            assert ADMIN_KEY not in str(raised.value)
        stranger.shutdown()
    assert paths == ["/v1/namespaces/a/config", "/v1/namespaces/a/stats"]


def test_no_proxy_sees_the_key(server: Sqld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{HOST}:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert Admin(server.admin_url, ADMIN_KEY).exists("default")


def test_the_whole_folder_of_the_server_survives_hostile_deletions(server: Sqld, admin: Admin) -> None:
    data = Path(server.command[server.command.index("-d") + 1])
    before = sorted(data.rglob("*"))
    for name in ("..%2f..", "%2e%2e", "../metastore"):
        with pytest.raises(WrongName):
            admin.delete(name)
    assert sorted(data.rglob("*")) == before
