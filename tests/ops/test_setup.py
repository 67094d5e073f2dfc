"""From nothing to a running registry: `init_db`, `seed_data`, and `quickstart` as it is typed."""

import io
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from prompts.models import Prompt, User
from tests.processes import MANAGE, clean_environment, manage
from tests.servers import HOST, free_port
from tests.vectors.fakes import FakeEmbedder
from vectors import strategies
from vectors.errors import EmbedderError

PASSWORD = re.compile(r"Log in as (\S+) with the password (\S+)")


@pytest.fixture(autouse=True)
def _fake_embedder(settings: Settings) -> Iterator[None]:
    settings.AFN_EMBEDDERS = {"fake": "tests.vectors.fakes.FakeEmbedder"}
    settings.AFN_EMBEDDER = "fake"
    yield
    strategies.forget()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, verbosity=0, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_init_db_imports_samples_in_development_only(settings: Settings, environment: str) -> None:
    settings.ENVIRONMENT = environment
    assert run("init_db") == "The database is ready; prompts are embedded by fake (64 dimensions).\n"
    assert not Prompt.objects.exists()
    settings.ENVIRONMENT = "development"
    assert re.search(r"^\d+ sample prompts imported, 0 were there\.$", run("init_db"), re.MULTILINE)
    count = Prompt.objects.count()
    assert count > 50
    assert f"0 sample prompts imported, {count} were there." in run("init_db")
    assert Prompt.objects.count() == count


@pytest.mark.django_db
def test_samples_belong_into_development(settings: Settings) -> None:
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match="samples belong into development"):
        run("seed_data")
    assert not Prompt.objects.exists()
    assert not User.objects.exists()
    counts = json.loads(run("seed_data", "--force", "--json"))
    assert (counts["created"], counts["failed"]) == (Prompt.objects.count(), [])
    settings.ENVIRONMENT = "development"
    again = json.loads(run("seed_data", "--json"))
    assert again == {"created": 0, "updated": 0, "unchanged": counts["created"], "failed": [], "notes": []}
    assert run("seed_data") == f"0 sample prompts imported, {counts['created']} were there.\n"


@pytest.mark.django_db
@pytest.mark.parametrize("command", [["init_db"], ["seed_data"]])
def test_an_embedder_that_fails_is_an_error_of_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def fail(self: FakeEmbedder, texts: Any) -> Any:
        raise EmbedderError("embedder fake", "an answer", "none")

    settings.ENVIRONMENT = "development"
    monkeypatch.setattr(FakeEmbedder, "embed", fail)
    with pytest.raises(CommandError, match="embedder fake: expected an answer, got none"):
        run(*command)


def test_quickstart_prints_the_password_once_and_keeps_what_is_there(tmp_path: Path) -> None:
    file = {"AFN_DATABASE_FILE": str(tmp_path / "new" / "afn.db")}
    first = manage("quickstart", "--no-server", **file)
    assert (first.returncode, "Traceback" in first.stderr) == (0, False)
    [(name, password)] = PASSWORD.findall(first.stdout)
    assert name == "admin"
    assert password not in first.stderr
    assert "writing/resume-rewriter" in first.stdout
    count = int(re.search(r"(\d+) imported\.", first.stdout)[1])

    again = manage("quickstart", "--no-server", "--username", "other", "--email", "o@example.com", **file)
    assert again.returncode == 0
    assert f"{count} prompts are there already." in again.stdout
    assert "Log in as admin, as before" in again.stdout
    assert not PASSWORD.findall(again.stdout)
    code = (
        "from django.contrib.auth import authenticate; from prompts.models import User; "
        f"print(authenticate(username='admin', password={password!r}), User.objects.count())"
    )
    assert manage("shell", "--verbosity", "0", "--command", code, **file).stdout == "admin 1\n"


def fetch(url: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.status, response.read()


def until_it_answers(process: subprocess.Popen[bytes], url: str, seconds: float = 90.0) -> tuple[int, bytes]:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            return fetch(url)
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer; exit code {process.poll()}")


def test_quickstart_serves_on_this_machine_until_it_is_ended(tmp_path: Path) -> None:
    port = free_port()
    site = f"http://{HOST}:{port}"
    environment = clean_environment(SECRET_KEY="k" * 50, AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*MANAGE, "quickstart", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
            text=True,
        )
    family: list[psutil.Process] = []
    try:
        status, page = until_it_answers(process, f"{site}/")
        family = psutil.Process(process.pid).children(recursive=True)
        assert (status, b"password" in page) == (200, True)  # the console's login
        assert fetch(f"{site}/health/live") == (200, b'{"status": "ok"}')
        listed = json.loads(fetch(f"{site}/api/v1/prompts")[1])  # without a key
        assert listed["total"] > 50
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{site}/api/v1/prompts", data=b"{}", timeout=10)
        assert fetch(f"{site}/static/admin/css/base.css")[0] == 200
        process.terminate()
        assert process.wait(30) is not None
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
    finally:
        for one in [psutil.Process(process.pid), *family] if process.poll() is None else family:
            if one.is_running():
                one.kill()
        process.wait(10)
    text = log.read_text()
    assert len(PASSWORD.findall(text)) == 1
    assert f"Console {site}/" in text
    assert "Traceback" not in text


def test_a_busy_port_is_told_before_anything_is_done(tmp_path: Path) -> None:
    import socket

    file = tmp_path / "afn.db"
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        done = manage("quickstart", "--port", str(port), AFN_DATABASE_FILE=str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"CommandError: --port: {port} cannot be used on {HOST}")
    assert "Name another" in done.stderr
    assert not file.exists()


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_is_a_number_that_can_be_served_on(port: str) -> None:
    with pytest.raises(CommandError, match=f"--port: expected a number from 1 to 65535, got {port}"):
        run("quickstart", f"--port={port}")
