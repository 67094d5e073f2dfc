"""Redis as ``deploy/redis`` sets it up, with a worker of AFN at work on it."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.retry import Retry

from afn_project.env import BASE_DIR

from .processes import clean_environment, manage, wait_for, website, worker
from .servers import HOST, Server, free_port, require, running

DEPLOY = BASE_DIR / "deploy"
PASSWORD = "canary-redis-password"
WORKER_PASSWORD = "canary-worker-password"


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(SECRET_KEY="k" * 50, **variables)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Redis as in compose.yaml, but on a free port of this machine."""
    require("redis-server")
    for folder in ("run", "data"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    monkeypatch.setenv("REDIS_WORKER_PASSWORD", WORKER_PASSWORD)
    monkeypatch.setenv("REDIS_CONFIG", str(DEPLOY / "redis"))
    monkeypatch.setenv("REDIS_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("REDIS_DATA", str(tmp_path / "data"))
    port = free_port()
    command = ["sh", str(DEPLOY / "redis" / "start.sh"), "--port", str(port), "--bind", HOST]
    with running(
        Server(command, "Ready to accept connections", port, f"redis://app@{HOST}:{port}/0")
    ) as server:
        yield server


@contextmanager
def client(server: Server, **options: str) -> Iterator[Redis]:
    once = Retry(NoBackoff(), 0)
    with Redis(host=HOST, port=server.port, decode_responses=True, retry=once, **options) as redis:
        yield redis


def is_redis_healthy(server: Server) -> bool:
    script = DEPLOY / "redis" / "health.sh"
    return run("sh", script, str(server.port), REDIS_PASSWORD=PASSWORD).returncode == 0


def test_redis_lets_in_afn_alone_and_only_to_its_work(redis: Server) -> None:
    with client(redis) as nobody, pytest.raises(AuthenticationError):
        nobody.get("key")
    for user in ("afn", "app", "worker", "backup", "monitor", "default"):
        with client(redis, username=user, password="wrong") as stranger, pytest.raises(AuthenticationError):
            stranger.get("key")
    with client(redis, username="app", password=PASSWORD) as afn:
        assert afn.set("afn:key", "value", ex=60)
        for forbidden in (
            "FLUSHALL",
            "CONFIG GET requirepass",
            "KEYS *",
            "SHUTDOWN",
            "GET key",
            "RPOP celery",
            "ACL LIST",
        ):
            with pytest.raises(NoPermissionError):
                afn.execute_command(*forbidden.split())
        with pytest.raises(ResponseError, match="can't run this command"):
            afn.eval("return redis.call('FLUSHALL')", 0)


def test_users_without_a_password_stay_off(redis: Server, tmp_path: Path) -> None:
    lines = (tmp_path / "run" / "users.acl").read_text().splitlines()
    states = {line.split()[1]: line.split()[2] for line in lines}
    assert states == {"default": "off", "app": "on", "worker": "on", "backup": "off", "monitor": "off"}
    assert "_HASH" not in "".join(lines)


def test_redis_keeps_what_was_written_in_a_transaction(redis: Server) -> None:
    # Replayed at the start in the name of the user `default`, which therefore needs the right to.
    own = {"username": "worker", "password": WORKER_PASSWORD}
    with client(redis, **own) as afn, afn.pipeline(transaction=True) as pipeline:
        pipeline.lpush("celery", "first").lpush("celery", "second").execute()
        assert afn.info("persistence")["aof_enabled"] == 1
    redis.stop()
    redis.start()
    with client(redis, **own) as afn:
        assert [afn.rpop("celery"), afn.rpop("celery"), afn.rpop("celery")] == ["first", "second", None]


def test_redis_shows_its_password_to_nobody(redis: Server, tmp_path: Path) -> None:
    users = tmp_path / "run" / "users.acl"
    assert "canary" not in users.read_text()
    assert users.stat().st_mode & 0o077 == 0
    process = Path(f"/proc/{redis.process.pid}")
    if process.exists():
        assert "canary" not in (process / "cmdline").read_text()
    assert "canary" not in "".join(redis.log)


def test_the_health_check_of_redis_says_no_when_it_is_gone(redis: Server) -> None:
    assert is_redis_healthy(redis)
    redis.stop()
    assert not is_redis_healthy(redis)


def test_a_worker_takes_tasks_from_this_redis(redis: Server, tmp_path: Path) -> None:
    """Its broker uses scripts, transactions and channels: this is what the list of rights has to allow."""
    variables = {
        "REDIS_URL": redis.url,
        "REDIS_PASSWORD": PASSWORD,
        "AFN_DATABASE_FILE": str(tmp_path / "a.db"),
    }
    for_worker = variables | {
        "REDIS_URL": redis.url.replace("app@", "worker@"),
        "REDIS_PASSWORD": WORKER_PASSWORD,
    }
    assert manage("init_db", **variables).returncode == 0
    account = {"DJANGO_SUPERUSER_PASSWORD": "canary-password"}
    made = manage(
        *("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org"),
        **variables,
        **account,
    )
    assert made.returncode == 0, made.stderr
    secret = manage("create_api_key", "--name", "test", "--scopes", "read,write", "--json", **variables)
    key = json.loads(secret.stdout)["secret_key"]
    with worker(tmp_path / "worker.log", for_worker), website(tmp_path / "web.log", **variables) as url:
        body = {"name": "a/b", "title": "Fox", "content": "A red fox", "status": "active"}
        call(f"{url}/api/v1/prompts", key, body)
        found = wait_for(lambda: call(f"{url}/api/v1/search?q=fox&mode=semantic", key)["results"])
        assert [hit["name"] for hit in found] == ["a/b"]
        assert run(sys.executable, DEPLOY / "broker_health.py", **for_worker).returncode == 0
        answer = run("sh", "-c", worker_check(), **for_worker, **as_in_container())
        assert answer.returncode == 0, answer.stderr
        assert "pong" in answer.stdout
    gone = run("sh", "-c", worker_check(), **for_worker, **as_in_container())
    assert gone.returncode != 0
    with client(redis, username="app", password=PASSWORD) as afn:
        assert "errorstat_NOPERM" not in afn.info("errorstats")
    redis.stop()
    failed = run(sys.executable, DEPLOY / "broker_health.py", **for_worker)
    assert failed.returncode == 1
    assert "does not answer" in failed.stderr
    assert "canary" not in failed.stderr


def worker_check() -> str:
    """The health check of the worker, as compose.yaml has it."""
    services = yaml.safe_load((BASE_DIR / "compose.yaml").read_text(encoding="utf-8"))["services"]
    [kind, check] = services["worker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    return str(check).replace("$$", "$")


def as_in_container() -> dict[str, str]:
    programs = Path(sys.executable).parent
    return {"HOSTNAME": socket.gethostname(), "PATH": f"{programs}:/usr/bin:/bin"}


def call(url: str, key: str, body: dict[str, str] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)
