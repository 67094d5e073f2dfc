"""Real processes: a worker on a real Redis, a website without one, and kills in the middle of it."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from afn_project.env import BASE_DIR
from tests.processes import clean_environment, manage, wait_for, website, worker
from tests.servers import Server, redis_server

from .receiver import Handler, Receiver, answer, documented_check, hang, receiving

SETUP = """
from ops.webhooks.saving import create_webhook
from prompts.models import ApiKey, User
from prompts.saving import save_prompt
user = User.objects.create_superuser("aoi", "aoi@example.com", "x")
print(create_webhook({{"name": "deploy", "url": {url!r}}}, actor=user).secret)
print(ApiKey.issue(user, "tests", ["read", "write"])[1])
"""
SAVE = """
from prompts.models import Prompt, User
from prompts.saving import save_prompt
user = User.objects.get()
save_prompt(Prompt(user=user, name={name!r}, title="T", content="Hello {{{{name}}}}."), author=user)
"""
LOG = """
import json
from ops.webhooks.models import Delivery
print(json.dumps(list(Delivery.objects.values("status", "attempts", "error"))))
"""


class Site:
    """A database file, a webhook in it, and what its processes are told."""

    def __init__(self, folder: Path, receiver: Receiver, redis: str = "") -> None:
        self.variables = {
            "AFN_DATABASE_FILE": str(folder / "afn.db"),
            "AFN_OUTGOING_ALLOWED": receiver.host,
            **({"REDIS_URL": redis} if redis else {}),
        }
        assert self.run("init_db").returncode == 0
        self.secret, self.key = self.shell(SETUP.format(url=receiver.url)).split()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return manage(*arguments, **self.variables)

    def shell(self, script: str) -> str:
        done = self.run("shell", "-v", "0", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def save(self, name: str) -> None:
        self.shell(SAVE.format(name=name))

    def log(self) -> list[dict[str, object]]:
        return json.loads(self.shell(LOG).splitlines()[-1])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    with redis_server(tmp_path) as server:
        yield server


@contextmanager
def killable_worker(log: Path, variables: dict[str, str]) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "celery", "--app", "afn_project.celery", "worker"]
    command += ["--loglevel", "INFO", "--concurrency", "1"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env=clean_environment(SECRET_KEY="k" * 50, **variables),
            cwd=BASE_DIR,
            stdout=output,
            stderr=output,
        )
    try:
        assert wait_for(lambda: " ready." in log.read_text() or process.poll() is not None)
        yield psutil.Process(process.pid)
    finally:
        if process.poll() is None:
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
        process.wait(30)


@pytest.mark.redis
def test_a_worker_delivers_what_was_saved(tmp_path: Path, redis: Server, receiver: Receiver):
    site = Site(tmp_path, receiver, redis.url)
    with worker(tmp_path / "worker.log", site.variables):
        site.save("support/greeting")
        wait_for(lambda: receiver.calls)
    (call,) = receiver.calls
    assert call.headers["X-AFN-Event"] == "prompt.created"
    assert documented_check()(site.secret, call.headers["X-AFN-Signature"], call.body)
    assert json.loads(call.body)["actor"]["name"] == "aoi"
    assert site.secret not in (tmp_path / "worker.log").read_text()


def test_without_redis_several_are_told_at_a_time(tmp_path: Path, receiver: Receiver):
    """Three receivers, each of which answers once the others are asked as well."""
    site = Site(tmp_path, receiver)
    more = "from ops.webhooks.saving import create_webhook"
    for name in ("second", "third"):
        more += f"\ncreate_webhook({{'name': {name!r}, 'url': {receiver.url!r}}}, actor=None)"
    site.shell(more)
    site.save("support/greeting")
    together = threading.Barrier(3)

    def reply(handler: Handler) -> None:
        together.wait(4)
        answer(204)(handler)

    receiver.reply = reply
    done = site.run("deliver_events", "--json")
    assert json.loads(done.stdout) == {"relayed": 1, "delivered": 3, "failed": 0}, done.stderr


@pytest.mark.redis
def test_what_a_killed_worker_was_sending_is_sent_again(tmp_path: Path, redis: Server, receiver: Receiver):
    site = Site(tmp_path, receiver, redis.url)
    receiver.reply = hang
    with killable_worker(tmp_path / "worker.log", site.variables) as process:
        site.save("support/greeting")
        assert wait_for(lambda: receiver.calls)  # it is in the middle of it
        for one in [process, *process.children(recursive=True)]:
            one.send_signal(signal.SIGKILL)
    receiver.reply = answer(200)
    receiver.released.set()
    assert [one["status"] for one in site.log()] == ["sending"]
    assert json.loads(site.run("deliver_events", "--json").stdout)["delivered"] == 0  # it may be alive
    site.shell(
        "from datetime import timedelta; from django.db.models import F;"
        "from ops.webhooks.models import Delivery;"
        "Delivery.objects.update(claimed_at=F('claimed_at') - timedelta(seconds=61))"
    )
    assert json.loads(site.run("deliver_events", "--json").stdout) == {
        "relayed": 0,
        "delivered": 1,
        "failed": 0,
    }
    assert site.log() == [{"status": "delivered", "attempts": 2, "error": ""}]
    first, second = receiver.calls
    assert first.headers["X-AFN-Event-Id"] == second.headers["X-AFN-Event-Id"]
    assert first.body == second.body


@pytest.mark.redis
def test_what_is_saved_while_redis_is_down_is_delivered_afterwards(
    tmp_path: Path, redis: Server, receiver: Receiver
):
    site = Site(tmp_path, receiver, redis.url)
    redis.kill()
    site.save("support/greeting")
    assert receiver.calls == []
    redis.start()
    with worker(tmp_path / "worker.log", site.variables):
        # What the scheduler does every few seconds.
        site.shell("from ops.tasks import deliver_events; deliver_events.delay()")
        assert wait_for(lambda: receiver.calls)
    site.save("support/bye")  # nobody works now, and the task of this one waits in Redis
    assert json.loads(site.run("deliver_events", "--json").stdout)["delivered"] == 1
    assert [call.headers["X-AFN-Event"] for call in receiver.calls] == ["prompt.created"] * 2


def test_two_sweepers_deliver_once(tmp_path: Path, receiver: Receiver):
    site = Site(tmp_path, receiver)
    for number in range(8):
        site.save(f"prompt-{number}")
    command = [sys.executable, str(BASE_DIR / "manage.py"), "deliver_events", "--json"]
    environment = clean_environment(SECRET_KEY="k" * 50, **site.variables)
    sweepers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    counts = [json.loads(one.communicate(timeout=120)[0]) for one in sweepers]
    assert sum(one["relayed"] for one in counts) == 8
    assert sum(one["delivered"] for one in counts) == 8
    assert len({call.headers["X-AFN-Event-Id"] for call in receiver.calls}) == len(receiver.calls) == 8


def test_a_website_without_redis_delivers_and_no_request_waits(tmp_path: Path, receiver: Receiver):
    site = Site(tmp_path, receiver)
    receiver.reply = hang
    with website(tmp_path / "site.log", **site.variables) as url:

        def save(name: str) -> float:
            import time

            body = json.dumps({"name": name, "title": "T", "content": "Hello."}).encode()
            headers = {"Authorization": f"Bearer {site.key}", "Content-Type": "application/json"}
            began = time.monotonic()
            request = urllib.request.Request(f"{url}/api/v1/prompts", body, headers, method="POST")
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status == 201
                assert response.headers["X-Request-ID"]
            return time.monotonic() - began

        save("first")
        assert wait_for(lambda: receiver.calls)
        assert save("second") < 4  # while the receiver of the first one hangs
        receiver.reply = answer(200)
        receiver.released.set()
        assert wait_for(lambda: len({call.headers["X-AFN-Event-Id"] for call in receiver.calls}) == 2)
        assert wait_for(lambda: {one["status"] for one in site.log()} == {"delivered"}, 30)
    assert "Traceback" not in (tmp_path / "site.log").read_text()
