"""The gate for outgoing calls, against real servers on loopback."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest
from pytest_django.fixtures import Settings

from tests.vectors import https_server as servers
from vectors import outgoing
from vectors.errors import OutgoingRefused

SECRET = "canary-7d1f"
PUBLIC = "93.184.216.34"


@pytest.fixture(autouse=True)
def _nothing_allowed(settings: Settings) -> None:
    settings.AFN_OUTGOING_ALLOWED = []


@pytest.fixture
def server(settings: Settings) -> Iterator[servers.Server]:
    """A plain server that may be called."""
    with servers.running() as running:
        settings.AFN_OUTGOING_ALLOWED = [f"127.0.0.1:{running.port}"]
        yield running


def get(url: str, **options: Any) -> httpx2.Response:
    with outgoing.client(**{"timeout": 5.0} | options) as client:
        return client.get(url)


def url_of(server: servers.Server, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.port}/hook"


class Names:
    """A name server that may change its mind: each answer in turn, then the last one again."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


# What is refused without asking anybody

STRANGE = [
    "",
    "x" * 3_000,
    "https://" + "a" * 3_000,
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "//example.org/",
    "example.org",
    "https:example.org",
    "https:///path",
    "javascript:alert(1)",
    "http://example.org/",
    "HTTP://example.org/",
    "https://example.org:0/",
    "https://example.org:65536/",
    "https://example.org:-1/",
    "https://example.org:443x/",
    "https://example.org./",
    "https://exa mple.org/",
    " https://example.org/",
    "https://example.org/\r\nHost: x",
    "https://example.org/\x00",
    "https://example.org\t/",
    "https://example.org\\@127.0.0.1/",
    "https://example.org\\.evil.org/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://127.0.0.1./",
    "https://127。0。0。1/",
    "https://１２７.０.０.１/",
    "https://ⓛocalhost/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1]/",
    "https://[::1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://%6cocalhost/",
    "https://127.0.0.1%2f@example.org/",
    "https://a..b/",
    "https://-a.org/",
    f"https://{SECRET}@example.org/",
    f"https://user:{SECRET}@example.org/",
    f"https://:{SECRET}@example.org/",
    f"https://example.org:{SECRET}@127.0.0.1/",
    f"http://user:{SECRET}@localhost/",
    f"http://example.org/?key={SECRET}",
]


@pytest.mark.parametrize("url", STRANGE)
def test_a_strange_url_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(OutgoingRefused) as caught:
        outgoing.check_url(url, "webhook.url")
    error = caught.value
    assert error.field == "webhook.url"
    assert error.expected
    assert error.got
    assert SECRET not in str(error)


@pytest.mark.parametrize("url", STRANGE)
def test_it_leads_nowhere_inside_when_it_is_called_all_the_same(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of them are strange to read, not to call: httpx makes them a URL of a public host."""
    called = connections(monkeypatch)
    with pytest.raises((OutgoingRefused, httpx2.HTTPError, httpx2.InvalidURL)):
        get(url, lookup=Names([PUBLIC]))
    assert {host for host, _ in called} <= {PUBLIC}


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://EXAMPLE.org/path?q=1#x",
        "https://example.org:8443/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://a_b.example.org/%C3%A9",
        "https://example.org/user@host:1",
    ],
)
def test_an_ordinary_url_is_accepted(url: str) -> None:
    outgoing.check_url(url, "url")


def test_the_hint_names_the_entry_that_would_allow_it(settings: Settings) -> None:
    for url, entry in [
        ("http://localhost:11434/v1", "localhost:11434"),
        ("https://10.1.2.3/", "10.1.2.3:443"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://vllm.internal/", "vllm.internal:80"),
    ]:
        settings.AFN_OUTGOING_ALLOWED = []
        with pytest.raises(OutgoingRefused) as caught:
            outgoing.check_url(url, "url")
        assert f"AFN_OUTGOING_ALLOWED={entry}." in caught.value.hint
        settings.AFN_OUTGOING_ALLOWED = [entry]
        outgoing.check_url(url, "url")


def test_a_network_permits_plain_http_to_its_addresses_but_not_to_names(settings: Settings) -> None:
    settings.AFN_OUTGOING_ALLOWED = ["10.1.0.0/16"]
    outgoing.check_url("http://10.1.2.3:8080/", "url")
    for url in ("http://example.org/", "http://10.2.0.1/"):
        with pytest.raises(OutgoingRefused):
            outgoing.check_url(url, "url")


# Addresses


def test_an_allowed_host_is_called(server: servers.Server) -> None:
    response = get(url_of(server))
    assert response.json() == {"hello": "world"}
    [(path, headers)] = server.requests
    assert path == "/hook"
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Accept-Encoding"] == "identity"


def test_localhost_is_called_where_it_is_allowed(server: servers.Server, settings: Settings) -> None:
    settings.AFN_OUTGOING_ALLOWED = [f"localhost:{server.port}"]
    assert get(url_of(server, host="localhost")).status_code == 200


def test_an_allowed_port_is_not_another(server: servers.Server, settings: Settings) -> None:
    settings.AFN_OUTGOING_ALLOWED = ["127.0.0.1:1"]
    with pytest.raises(OutgoingRefused):
        get(url_of(server))
    assert server.connections == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"], [PUBLIC, "127.0.0.1"], ["10.0.0.1"]],
)
def test_a_name_with_an_inner_address_is_not_called_at_all(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called = connections(monkeypatch)
    with pytest.raises(OutgoingRefused) as caught:
        get("https://rebind.example.org/", lookup=Names(addresses))
    assert caught.value.got == "an address that is not public"
    assert called == []
    assert not any(address in str(caught.value) for address in addresses)


def test_a_name_that_changes_its_mind_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First public, then loopback: the connection goes to the address that was checked, and is asked once."""
    called = connections(monkeypatch)
    names = Names([PUBLIC], ["127.0.0.1"])
    with pytest.raises(httpx2.ConnectError):
        get("https://rebind.example.org:8443/", lookup=names)
    assert called == [(PUBLIC, 8443)]
    assert names.asked == ["rebind.example.org"]


def test_so_with_real_addresses_and_certificates(settings: Settings, tmp_path: Path) -> None:
    tls, trust = servers.certificate(tmp_path, "hooks.example.org")
    seen: list[str | None] = []
    tls.sni_callback = lambda _, name, __: seen.append(name)
    settings.AFN_OUTGOING_ALLOWED = ["127.0.0.2/32"]
    with (
        servers.running("127.0.0.2", tls=tls) as good,
        servers.running("127.0.0.3", port=good.port) as bad,
    ):
        url = url_of(good, "https", "hooks.example.org")
        names = Names(["127.0.0.2"], ["127.0.0.3"])
        assert get(url, lookup=names, tls=trust).json() == {"hello": "world"}
        assert seen == ["hooks.example.org"]
        assert good.requests[0][1]["Host"] == f"hooks.example.org:{good.port}"
        with pytest.raises(OutgoingRefused):
            get(url, lookup=names, tls=trust)
        assert len(good.connections) == 1
        assert bad.connections == []


def test_a_certificate_for_another_name_is_refused(settings: Settings, tmp_path: Path) -> None:
    tls, trust = servers.certificate(tmp_path, "other.example.org")
    settings.AFN_OUTGOING_ALLOWED = ["127.0.0.1/32"]
    with servers.running(tls=tls) as server, pytest.raises(httpx2.ConnectError, match="Hostname mismatch"):
        get(url_of(server, "https", "hooks.example.org"), lookup=Names(["127.0.0.1"]), tls=trust)
    assert server.requests == []


def test_a_certificate_of_nobody_is_refused(settings: Settings, tmp_path: Path) -> None:
    tls, _ = servers.certificate(tmp_path, "hooks.example.org")
    settings.AFN_OUTGOING_ALLOWED = ["127.0.0.1/32"]
    with servers.running(tls=tls) as server, pytest.raises(httpx2.ConnectError, match="certificate"):
        get(url_of(server, "https", "hooks.example.org"), lookup=Names(["127.0.0.1"]))
    assert server.requests == []


def test_an_address_of_ipv6_is_called_with_its_certificate(settings: Settings, tmp_path: Path) -> None:
    tls, trust = servers.certificate(tmp_path, "::1")
    with servers.running("::1", tls=tls) as server:
        with pytest.raises(OutgoingRefused):
            get(url_of(server, "https", "[::1]"), tls=trust)
        settings.AFN_OUTGOING_ALLOWED = [f"[::1]:{server.port}"]
        assert get(url_of(server, "https", "[::1]"), tls=trust).status_code == 200
        assert server.requests[0][1]["Host"] == f"[::1]:{server.port}"


def test_the_next_address_is_tried_where_the_first_is_dead(
    server: servers.Server, settings: Settings
) -> None:
    settings.AFN_OUTGOING_ALLOWED = ["two.example.org"]
    names = Names(["127.0.0.9", "127.0.0.1"])
    assert get(url_of(server, host="two.example.org"), lookup=names).status_code == 200


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("label too long")])
def test_an_unknown_name_is_no_connection(failure: Exception) -> None:
    def lookup(host: str, port: int) -> list[str]:
        raise failure

    with pytest.raises(httpx2.ConnectError, match="not known"):
        get("https://nowhere.example.org/", lookup=lookup)


def test_a_name_without_addresses_is_no_connection() -> None:
    with pytest.raises(httpx2.ConnectError, match="no address"):
        get("https://nowhere.example.org/", lookup=Names([]))


def test_a_redirect_is_an_answer_like_others(server: servers.Server) -> None:
    with servers.running() as inner:
        server.reply = lambda handler: handler.send(302, b"", Location=url_of(inner))
        assert get(url_of(server)).status_code == 302
        with outgoing.client(timeout=5.0) as client, pytest.raises(OutgoingRefused):
            client.get(url_of(server), follow_redirects=True)  # even for who insists
    assert inner.connections == []


def test_neither_proxies_nor_netrc_of_the_environment_count(
    server: servers.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login x password {SECRET}\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    assert get(url_of(server)).status_code == 200
    assert "Authorization" not in server.requests[0][1]


def test_a_caller_cannot_put_another_host_into_the_header(server: servers.Server) -> None:
    with outgoing.client(timeout=5.0) as client:
        client.get(url_of(server), headers={"Host": "inner.example.org", "Accept-Encoding": "gzip"})
    assert server.requests[0][1].get_all("Host") == [f"127.0.0.1:{server.port}"]
    assert server.requests[0][1].get_all("Accept-Encoding") == ["identity"]


def test_connections_are_kept_between_requests(server: servers.Server) -> None:
    with outgoing.client(timeout=5.0) as client:
        for _ in range(3):
            assert client.post(url_of(server), json={"a": 1}).status_code == 200
    assert len(server.connections) == 1


# Time


def drip(handler: servers.Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    _drip(handler)


def drip_headers(handler: servers.Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _drip(handler)


def _drip(handler: servers.Handler) -> None:
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b"x")


@pytest.mark.parametrize("reply", [drip, drip_headers])
def test_an_answer_in_drops_ends_by_the_deadline(server: servers.Server, reply: servers.Reply) -> None:
    server.reply = reply
    start = time.monotonic()
    with pytest.raises(httpx2.ReadTimeout):
        get(url_of(server), timeout=5.0, deadline=0.3)
    assert time.monotonic() - start < 2.0


def test_a_streamed_body_ends_by_the_deadline_and_the_next_request_has_its_own(
    server: servers.Server,
) -> None:
    with outgoing.client(timeout=5.0, deadline=0.3) as client:
        server.reply = drip
        with client.stream("GET", url_of(server)) as response, pytest.raises(httpx2.ReadTimeout):
            outgoing.read_bounded(response, 1_000)
        server.reply = servers.hello
        assert client.get(url_of(server)).status_code == 200


def test_a_silent_server_ends_by_the_timeout(server: servers.Server) -> None:
    server.reply = lambda handler: handler.server.released.wait(30)
    with pytest.raises(httpx2.ReadTimeout):
        get(url_of(server), timeout=0.2)


@pytest.mark.parametrize("sips", [0, 8_192])
def test_a_server_that_hardly_reads_ends_it_too(settings: Settings, sips: int) -> None:
    done = threading.Event()

    def sip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while not done.wait(0.01):
                connection.recv(sips)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        port = listener.getsockname()[1]
        settings.AFN_OUTGOING_ALLOWED = [f"127.0.0.1:{port}"]
        thread = threading.Thread(target=sip, args=(listener,))
        thread.start()
        start = time.monotonic()
        with (
            outgoing.client(timeout=5.0, deadline=0.3) as client,
            pytest.raises((httpx2.WriteTimeout, httpx2.ReadTimeout)),
        ):
            client.post(f"http://127.0.0.1:{port}/", content=bytes(20_000_000))
        assert time.monotonic() - start < 2.0
        done.set()
        thread.join()


def test_a_handshake_that_never_comes_ends(settings: Settings) -> None:
    with servers.running(reply=lambda handler: None) as server:  # speaks no TLS, and waits for a line
        settings.AFN_OUTGOING_ALLOWED = [f"127.0.0.1:{server.port}"]
        with pytest.raises((httpx2.ConnectError, httpx2.ConnectTimeout)):
            get(url_of(server, "https"), timeout=0.3)


def test_a_lookup_that_never_ends_does(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def lookup(host: str, port: int) -> list[str]:
        released.wait(30)
        return [PUBLIC]

    start = time.monotonic()
    with pytest.raises(httpx2.ConnectTimeout, match="not found in time"):
        get("https://slow.example.org/", lookup=lookup, timeout=0.2)
    assert time.monotonic() - start < 2.0
    released.set()


# Size


def test_a_long_answer_is_cut_off_while_it_comes(server: servers.Server) -> None:
    server.reply = chunked_without_end
    with pytest.raises(outgoing.AnswerTooLarge, match="longer than 10000 bytes"):
        get(url_of(server), max_bytes=10_000)


def test_an_answer_that_says_how_long_it_is_is_not_begun(server: servers.Server) -> None:
    def reply(handler: servers.Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n")
        handler.server.released.wait(30)

    server.reply = reply
    with pytest.raises(outgoing.AnswerTooLarge):
        get(url_of(server), max_bytes=10_000)


def test_a_reader_may_want_less(server: servers.Server) -> None:
    with (
        outgoing.client(timeout=5.0) as client,
        client.stream("GET", url_of(server)) as response,
        pytest.raises(outgoing.AnswerTooLarge),
    ):
        outgoing.read_bounded(response, 5)
    with outgoing.client(timeout=5.0) as client, client.stream("GET", url_of(server)) as response:
        assert outgoing.read_bounded(response, 18) == b'{"hello": "world"}'


@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZIP", "identity, gzip", "br", "x-unknown"])
def test_a_bomb_is_not_unpacked(server: servers.Server, coding: str) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    server.reply = lambda handler: handler.send(200, bomb, Content_Encoding=coding)
    with pytest.raises(outgoing.AnswerEncoded, match="packed"):
        get(url_of(server))


def chunked_without_end(handler: servers.Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not handler.server.released.is_set():
        handler.wfile.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


# Words


def test_errors_are_described_without_addresses_headers_and_bodies(server: servers.Server) -> None:
    def garbage(handler: servers.Handler) -> None:
        handler.wfile.write(f"{SECRET} is no HTTP\r\n\r\n".encode())
        handler.close_connection = True

    server.reply = garbage
    with pytest.raises(httpx2.RemoteProtocolError) as caught:
        get(url_of(server))
    assert outgoing.describe(caught.value) == "an answer that is not HTTP as it should be"
    with outgoing.client(timeout=5.0) as client, pytest.raises(httpx2.LocalProtocolError) as refused:
        client.get(url_of(server), headers={"Authorization": f"Bearer {SECRET}\r\nX: y"})
    assert outgoing.describe(refused.value) == "it could not be sent"
    for error, text in [
        (OutgoingRefused("url", "a public address", "an address that is not public", "x=10.0.0.1"), "public"),
        (httpx2.ReadTimeout("10.0.0.1"), "no answer in time"),
        (httpx2.ReadError("10.0.0.1"), "the connection was lost"),
        (outgoing.AnswerTooLarge("The answer is longer than 5 bytes."), "longer than 5"),
        (httpx2.UnsupportedProtocol("10.0.0.1"), "UnsupportedProtocol"),
    ]:
        assert text in outgoing.describe(error)
        assert "10.0.0.1" not in outgoing.describe(error)


def test_an_excerpt_is_short_and_printable() -> None:
    text = outgoing.excerpt(b"\x1b[31m\x00\xff" + b"x" * 10_000)
    assert len(text) <= 121
    assert text.isprintable()


def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Notes each address that is called, and calls none: the tests stay on this machine."""
    called: list[tuple[str, int]] = []

    def connect(self: Any, host: str, port: int, *_: Any) -> Any:
        called.append((host, port))
        raise httpcore2.ConnectError("not in a test")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    return called
