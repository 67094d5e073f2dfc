"""What a Redis holds, sent as to a replica, and loaded by another one."""

from pathlib import Path

import pytest
from redis import Redis

from ops.redis.dumping import NotDumped, dump
from tests.servers import HOST, Server, free_port, redis_server, require, running


def test_another_redis_loads_it(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with redis_server(tmp_path / "served") as server, Redis.from_url(server.url) as client:
        client.mset({f"key-{number}": "x" * 100 for number in range(1_000)})
        size = dump(server.url, tmp_path / "dump.rdb")
        client.set("later", "is not in it")
        assert client.info("replication")["connected_slaves"] == 0
    assert (tmp_path / "dump.rdb").stat().st_size == size
    assert (tmp_path / "dump.rdb").stat().st_mode & 0o777 == 0o600
    port = free_port()
    command = [require("redis-server"), "--port", str(port), "--bind", HOST, "--dir", str(tmp_path)]
    loaded = Server(command, "Ready to accept connections", port, f"redis://{HOST}:{port}/0")
    with running(loaded), Redis.from_url(loaded.url, decode_responses=True) as client:
        assert client.dbsize() == 1_000
        assert client.get("key-7") == "x" * 100


def test_a_user_without_the_rights_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with redis_server(tmp_path / "served") as server, Redis.from_url(server.url) as client:
        rights = ["on", ">canary-password", "~*", "+@read", "+@connection"]
        client.execute_command("ACL", "SETUSER", "app", *rights)
        with pytest.raises(NotDumped, match="rights of `backup`") as refused:
            dump(f"redis://app:canary-password@{HOST}:{server.port}/0", tmp_path / "dump.rdb")
    assert "canary" not in str(refused.value)
    assert not (tmp_path / "dump.rdb").exists()


def test_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotDumped, match="ConnectionError"):
        dump(f"redis://{HOST}:{free_port()}/0", tmp_path / "dump.rdb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://h", "redis://h:x/", "canary"])
def test_what_is_no_address_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(NotDumped, match="Expected an address") as refused:
        dump(url, tmp_path / "dump.rdb")
    assert "canary" not in str(refused.value)
