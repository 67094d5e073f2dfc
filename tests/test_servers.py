"""The servers that other tests are run against: they start, answer and stop."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import redis

from .servers import HOST, Server, find, redis_server, require, sqld_server


@pytest.fixture(scope="module")
def redis_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def sqld_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sqld_server(tmp_path_factory.mktemp("sqld")) as server:
        yield server


def query(server: Server, sql: str) -> dict[str, Any]:
    """What the server answers to one statement."""
    requests = [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]
    request = Request(f"{server.url}/v3/pipeline", json.dumps({"baton": None, "requests": requests}).encode())
    with urlopen(request, timeout=10) as response:
        result: dict[str, Any] = json.load(response)["results"][0]
    return result


@pytest.mark.redis
def test_redis_answers(redis_running: Server) -> None:
    with redis.Redis.from_url(redis_running.url) as client:
        assert client.ping() is True
        client.set("key", "value")
        assert client.get("key") == b"value"


@pytest.mark.redis
def test_redis_takes_options(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--requirepass", "canary") as server:
        with redis.Redis.from_url(server.url) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        with redis.Redis.from_url(server.url, password="canary") as client:
            assert client.ping() is True


@pytest.mark.redis
def test_a_server_is_gone_after_its_test(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        assert server.process.poll() is None
    assert server.process.returncode == 0
    with socket.socket() as client:
        assert client.connect_ex((HOST, server.port)) != 0


@pytest.mark.redis
def test_a_killed_server_is_gone_at_once(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        server.kill()
        with socket.socket() as client:
            assert client.connect_ex((HOST, server.port)) != 0


@pytest.mark.redis
def test_a_server_that_cannot_start_shows_its_own_words(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"did not start(.|\n)*no-such-option"),
        redis_server(tmp_path, "--no-such-option", "1"),
    ):
        pass


@pytest.mark.sqld
def test_sqld_is_healthy(sqld_running: Server) -> None:
    with urlopen(f"{sqld_running.url}/health", timeout=10) as response:
        assert response.status == 200


@pytest.mark.sqld
def test_sqld_answers_a_query(sqld_running: Server) -> None:
    result = query(sqld_running, "SELECT 1")
    assert result["type"] == "ok"
    assert result["response"]["result"]["rows"] == [[{"type": "integer", "value": "1"}]]


@pytest.mark.sqld
def test_sqld_keeps_its_data_in_the_folder(tmp_path: Path) -> None:
    for sql in ("CREATE TABLE t (a)", "SELECT * FROM t"):
        with sqld_server(tmp_path) as server:
            assert query(server, sql)["type"] == "ok"


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SQLD_BINARY", str(tmp_path / "sqld"))
    monkeypatch.delenv("AFN_REQUIRE_SERVERS", raising=False)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("program", ["redis-server", "sqld"])
def test_a_missing_server_skips_its_tests_and_says_how_to_install_it(program: str) -> None:
    assert find(program) is None
    with pytest.raises(pytest.skip.Exception, match=f"{program} is missing: (install|fetch) it with"):
        require(program)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("program", ["redis-server", "sqld"])
def test_a_missing_server_fails_its_tests_where_all_must_run(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFN_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match=f"{program} is missing"):
        require(program)
