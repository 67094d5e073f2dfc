"""A whole AFN in a temporary folder: database, Redis, web server, workers, schedulers."""

from __future__ import annotations

import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx2

from ops.site_process import variables
from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.web_client import HOST, free_port

from .looking import Looker
from .processes import Process

WEB_WORKERS: Final = 2
_FOLDERS: Final = {
    "AFN_RUN_DIR": "run",
    "AFN_BACKUPS_DIR": "backups",
    "AFN_ENVIRONMENTS_DIR": "environments",
    "AFN_TOKEN_KEYS": "keys",
}
_REDIS_INSTALL: Final = "redis-server is missing: install it, such as by `apt install redis-server`"


class Place:
    """What it starts is ended, and what it writes is removed, when the context of `opened` is left.

    Servers first (`redis`, `sqld`), then `set_up`, then what uses them.
    """

    def __init__(self, folder: Path, stack: ExitStack, **settings_of: str) -> None:
        self.folder, self._stack = folder, stack
        own = {name: str(folder / value) for name, value in _FOLDERS.items()}
        self.password = secrets.token_urlsafe(24)
        self._own = variables(folder, AFN_SCHEDULE="0", **own, **settings_of)
        self.key = ""
        self.look: Looker

    def redis(self) -> Process:
        """A Redis that keeps nothing: with it dies what waits in the queue."""
        if (program := shutil.which("redis-server")) is None:
            raise NotMeasured(_REDIS_INSTALL)
        port = free_port()
        options = ["--port", str(port), "--bind", HOST, "--dir", str(self.folder), "--save", ""]
        server = self._process("redis", [program, *options, "--appendonly", "no"])
        self._own["REDIS_URL"] = f"redis://{HOST}:{port}/0"
        self.start_redis(server)
        return server

    def start_redis(self, server: Process) -> None:
        port = int(self._own["REDIS_URL"].rpartition(":")[2].removesuffix("/0"))
        server.start(lambda: _listens(port))

    def sqld(self, program: str) -> Process:
        """A libSQL server, for this machine and without tokens, in place of the file."""
        port = free_port()
        data = ["-d", str(self.folder / "sqld"), "--http-listen-addr", f"{HOST}:{port}"]
        server = self._process("sqld", [program, "--no-welcome", *data])
        self._own["TURSO_DATABASE_URL"] = f"http://{HOST}:{port}"
        self.start_sqld(server)
        return server

    def start_sqld(self, server: Process) -> None:
        server.start(lambda: _answers(f"{self._own['TURSO_DATABASE_URL']}/health"))

    def set_up(self) -> None:
        """Make the tables, a superuser and a key. Raises NotMeasured where the processes would use others."""
        self.look = self._stack.enter_context(Looker.started(self._own, self.folder / "looker.txt"))
        expected = {"redis": self._own.get("REDIS_URL", "")}
        expected["database"] = self._own.get("TURSO_DATABASE_URL", self._own["AFN_DATABASE_FILE"])
        if self.look("where") != expected:
            raise NotMeasured("the file .env names another database or Redis: take it away for this command")
        self.key = self.look("set_up", password=self.password)

    def site(self, workers: int = WEB_WORKERS) -> tuple[Process, str]:
        """The web server as docs/deployment.md starts it, and its address."""
        port = free_port()
        command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", HOST),
            *("--port", str(port), "--workers", str(workers), "--blocking-threads", "4"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "3", "afn_project.wsgi:application"),
        ]
        server, address = self._process("web", command), f"http://{HOST}:{port}"
        server.start(lambda: _answers(f"{address}/health/live"))
        return server, address

    def worker(self) -> Process:
        worker = self._process("worker", _celery("worker", "--concurrency", "2"))
        self.start_worker(worker)
        return worker

    def start_worker(self, worker: Process) -> None:
        before = worker.said().count(" ready.")
        worker.start(lambda: worker.said().count(" ready.") > before)

    def beat(self, name: str = "beat") -> Process:
        beat = self._process(name, _celery("beat", "--pidfile="))
        self.start_beat(beat)
        return beat

    def start_beat(self, beat: Process) -> None:
        before = beat.said().count("beat: Starting")
        beat.start(lambda: beat.said().count("beat: Starting") > before)

    def client(self, address: str, seconds: float = 30.0) -> httpx2.Client:
        """Who calls the site with the key; `seconds` is how long it waits for an answer."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return self._stack.enter_context(
            httpx2.Client(base_url=address, headers=headers, timeout=seconds, trust_env=False)
        )

    def _process(self, name: str, command: list[str]) -> Process:
        process = Process(command, self._own, self.folder / f"{name}.txt")
        self._stack.callback(process.end)
        return process


@contextmanager
def opened(**settings_of: str) -> Iterator[Place]:
    """A place in a folder of its own; `settings_of` are variables of AFN that differ from their defaults."""
    # The folder is left last: after all that writes to it.
    folder = tempfile.TemporaryDirectory(prefix="afn-faults-", ignore_cleanup_errors=True)
    with folder as name, ExitStack() as stack:
        yield Place(Path(name), stack, **settings_of)


def _celery(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "celery", "--app", "afn_project.celery"]
    return [*command, *arguments, "--loglevel", "INFO"]


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2.0, trust_env=False).is_success
    except httpx2.HTTPError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
