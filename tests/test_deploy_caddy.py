"""The proxy as ``deploy/caddy`` sets it up, in front of AFN's web server."""

import http.client
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from afn_project.env import BASE_DIR

from .ops.realtime.conftest import listening, save, streaming
from .processes import asgi_site, website
from .servers import HOST, Server, free_port, require, running
from .serving.conftest import Site, make_place

CADDYFILE = BASE_DIR / "deploy" / "caddy" / "Caddyfile"
TOKEN = "canary-metrics-token"
ALIEN = "192.0.2.1/32"  # nobody's address: whoever asks is no trusted proxy

Proxy = Callable[..., AbstractContextManager[Server]]


class Figures(BaseHTTPRequestHandler):
    """Stands for the MCP server, and says how it was asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        scheme = self.headers["X-Forwarded-Proto"]
        self.wfile.write((scheme if self.path == "/scheme" else "of MCP").encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def figures() -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), Figures) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"{HOST}:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def proxy(tmp_path: Path, figures: str, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    @contextmanager
    def start(site: str, **variables: str) -> Iterator[Server]:
        port, health = free_port(), free_port()
        config = tmp_path / "Caddyfile"
        config.write_text(CADDYFILE.read_text().replace(":8002", f":{health}"))
        given = {"AFN_SITE": f":{port}", "AFN_BIND": HOST, "AFN_MCP_UPSTREAM": figures}
        given |= {"HOME": str(tmp_path)}
        given |= {"AFN_WEB_UPSTREAM": site.removeprefix("http://")}
        for name, value in (given | variables).items():
            monkeypatch.setenv(name, value)
        command = [require("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
        with running(
            Server(command, "serving initial configuration", port, f"http://{HOST}:{health}")
        ) as server:
            yield server

    return start


def ask(server: Server, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=20)) as connection:
        connection.request("POST" if body else "GET", path, body, sent)
        with connection.getresponse() as answer:
            return answer.status, answer.read().decode()


def adapted(**variables: str) -> dict[str, Any]:
    """What Caddy makes of the file: its servers by the address they listen on."""
    done = subprocess.run(
        [require("caddy"), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    servers = json.loads(done.stdout)["apps"]["http"]["servers"]
    return {address: server for server in servers.values() for address in server["listen"]}


def test_the_site_and_its_figures_share_an_address(proxy: Proxy, tmp_path: Path) -> None:
    with (
        website(
            tmp_path / "web.log",
            AFN_DATABASE_FILE=str(tmp_path / "a.db"),
            AFN_RUN_DIR=str(tmp_path / "run"),
            AFN_METRICS_TOKEN=TOKEN,
            AFN_TRUST_LOOPBACK="1",
        ) as site,
        proxy(site) as server,
    ):
        assert ask(server, "/health/live") == (200, '{"status": "ok"}')
        status, text = ask(server, "/metrics", Authorization=f"Bearer {TOKEN}")
        assert (status, "afn_health_ready" in text) == (200, True)
        assert ask(server, "/metrics")[0] == 401  # it came from this machine, and by a proxy
        assert ask(server, "/metrics", Authorization="Bearer wrong")[0] == 401
        ask(server, "/api/v1/search?q=canary-query&k=3", Authorization="Bearer canary-key")
    log = "".join(server.log)
    assert "/api/v1/search?k=3" in log
    assert "canary" not in log


def test_mcp_has_a_process_of_its_own(proxy: Proxy) -> None:
    with proxy(f"http://{HOST}:1", AFN_MAX_BODY_MB="0.1") as server:
        assert ask(server, "/mcp") == (200, "of MCP")
        assert [ask(server, path)[1] for path in ("/ws", "/events?kinds=job.*")] == ["of MCP"] * 2
        assert ask(server, "/mcp", b"x" * 150_000)[0] == 413
        assert ask(server, "/mcp-other")[0] == 502


def test_events_pass_as_they_come_and_tickets_stay_out_of_the_log(proxy: Proxy, tmp_path: Path) -> None:
    with ExitStack() as stack:
        place = make_place(tmp_path, stack)
        site = stack.enter_context(asgi_site(tmp_path / "asgi.log", **place.variables))
        server = stack.enter_context(proxy(f"http://{HOST}:1", AFN_MCP_UPSTREAM=site.removeprefix("http://")))
        address = f"http://{HOST}:{server.port}"
        assert ask(server, "/events?ticket=canary-ticket")[0] == 401
        with (
            listening(address, place.key) as listener,
            streaming(address, Authorization=f"Bearer {place.key}") as stream,
        ):
            assert stream.next()["type"] == "hello"
            save(Site(site, place.key), "by-proxy")
            assert listener.names(1) == ["by-proxy"]
            assert stream.next()["data"]["prompt"]["name"] == "by-proxy"
    assert "canary" not in "".join(server.log)


@pytest.mark.parametrize(("trusted", "scheme"), [(ALIEN, "http"), (f"{HOST}/32", "https")])
def test_only_a_trusted_proxy_says_how_a_request_came(
    proxy: Proxy, figures: str, trusted: str, scheme: str
) -> None:
    with proxy(figures, AFN_TRUSTED_PROXIES=trusted) as server:
        assert ask(server, "/scheme", X_Forwarded_Proto="https") == (200, scheme)


def test_a_body_that_is_too_large_is_always_refused_in_the_same_words(proxy: Proxy, tmp_path: Path) -> None:
    """AFN answers before it has read such a body; on its own that ends in 502 now and then."""
    variables = {"AFN_DATABASE_FILE": str(tmp_path / "a.db"), "AFN_PUBLIC_READ": "1"}
    with (
        website(tmp_path / "web.log", AFN_MAX_BODY_MB="0.1", **variables) as site,
        proxy(site, AFN_MAX_BODY_MB="0.1") as server,
    ):
        for _ in range(20):
            status, text = ask(server, "/api/v1/prompts", b"x" * 150_000)
            assert (status, json.loads(text)) == (
                413,
                {"detail": "The body is larger than AFN_MAX_BODY_MB."},
            )
        statuses = {ask(server, "/api/v1/prompts", b"x" * 99_000)[0] for _ in range(100)}
        assert statuses == {401}  # though nobody looked at the body


@pytest.mark.parametrize("size", ["5", "5.0", "0.5"])
def test_the_limit_of_a_body_is_read_as_afn_reads_it(proxy: Proxy, size: str) -> None:
    with proxy(f"http://{HOST}:1", AFN_MAX_BODY_MB=size) as server:
        assert ask(server, "/", Content_Length=str(int(float(size) * 1e6) + 1))[0] == 413


def test_the_health_check_listens_on_this_machine_alone(proxy: Proxy) -> None:
    assert "127.0.0.1:8002" in adapted(AFN_SITE=":8000")
    assert "127.0.0.1:8000" in adapted(AFN_SITE=":8000", AFN_BIND=HOST)
    with proxy(f"http://{HOST}:1") as server:
        health = int(server.url.rpartition(":")[2])
        with closing(http.client.HTTPConnection(HOST, health, timeout=5)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200


def test_who_sends_slowly_does_not_hold_a_connection_for_ever() -> None:
    site = next(server for address, server in adapted(AFN_SITE=":8000").items() if address.endswith(":8000"))
    seconds = {name: site[f"{name}_timeout"] / 1e9 for name in ("read", "read_header", "idle")}
    assert seconds == {"read": 60, "read_header": 10, "idle": 120}
