"""A process that has imported what all commands import, and forks for each: they begin in half of the time.

    Zygote().run(["manage.py", "check"], environment, timeout=120)

Each command is a process of its own, with an environment, output and exit code of its own; only modules of
others, which read no settings, are there already. An environment that comes a second time gets a process that
has read the settings too and forks for all that follow: they begin at once. Nothing but the environment may
change the settings between two commands.
"""

import atexit
import gc
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
MODULES = (
    "argparse", "asyncio", "celery", "cryptography.fernet",
    "cryptography.hazmat.primitives.asymmetric.ed25519", "csv", "decimal", "django.conf",
    "django.contrib.staticfiles.management.commands", "django.core.cache", "django.core.checks",
    "django.core.management.commands.migrate", "django.core.serializers.json", "django.core.signing",
    "django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.db.models",
    "django.db.models.functions", "django.forms", "django.http", "django.template", "django.test.signals",
    "django.urls", "django.utils.translation", "django.views.generic", "dotenv", "httptools", "httpx2",
    "jinja2", "jsonschema_rs", "jwt", "kombu", "numpy", "pydantic", "pydantic_settings", "pyrage", "redis",
    "redis.asyncio", "regex", "secrets", "sqlparse", "subprocess", "tempfile", "yaml", "zoneinfo",
    "zstandard",
)  # fmt: skip


WARM = 3  # environments whose settings are kept


class Zygote:
    def __init__(self) -> None:
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket, self._lock = own, threading.Lock()
        # By environment, the one used last at the end; None until it comes again, or where it cannot be warm.
        self._warm: dict[str, socket.socket | None] = {}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], *, timeout: float
    ) -> "CompletedProcess[str]":
        """As ``subprocess.run(…, text=True, capture_output=True)`` with Python before the command."""
        read, write = os.pipe()
        with (
            open(os.devnull, "rb") as nothing,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as errors,
            open(read, "rb") as answer,
        ):
            with self._lock, _sent([list(command), dict(environment), os.getcwd()]) as sent:
                fds = [nothing.fileno(), out.fileno(), errors.fileno(), write, sent]
                socket.send_fds(self._connection(environment), [b"run"], fds)
            os.close(write)
            pid = int.from_bytes(answer.read(4), "little")
            timer = threading.Timer(timeout, os.kill, [pid, signal.SIGKILL])
            timer.start()
            code = answer.read(4)
            was_late = timer.finished.is_set()
            timer.cancel()
            texts = []
            for file in (out, errors):
                file.seek(0)
                texts.append(file.read().decode())
        if was_late:
            raise TimeoutExpired([sys.executable, *command], timeout, texts[0], texts[1])
        status = int.from_bytes(code, "little", signed=True)
        return CompletedProcess([sys.executable, *command], status, texts[0], texts[1])

    def _connection(self, environment: Mapping[str, str]) -> socket.socket:
        """To a process with the settings of this environment, if there is one or it is time to make one."""
        known = {name: value for name, value in environment.items() if name != "PYTEST_CURRENT_TEST"}
        key = json.dumps([known, os.getcwd()], sort_keys=True)
        if key not in self._warm:
            self._warm[key] = None
            return self._socket
        warm = self._warm.pop(key) or self._warmed(environment)
        self._warm[key] = warm
        kept = [one for one, connection in self._warm.items() if connection is not None]
        for one in kept[:-WARM]:
            self._warm.pop(one).close()  # type: ignore[union-attr]
        return warm or self._socket

    def _warmed(self, environment: Mapping[str, str]) -> socket.socket | None:
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, _sent(["", dict(environment), os.getcwd()]) as sent:
            socket.send_fds(self._socket, [b"warm"], [theirs.fileno(), sent])
        if own.recv(8) == b"warm":
            return own
        own.close()  # its settings are refused: each command shall say so itself
        return None

    def close(self) -> None:
        for connection in (self._socket, *filter(None, self._warm.values())):
            connection.close()
        self._process.wait(10)


@contextmanager
def _sent(request: Any) -> Iterator[int]:
    """The request in a file: an environment may be longer than a packet."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(request).encode())
        file.flush()
        yield file.fileno()


def _received(fd: int) -> Any:
    with open(fd, "rb") as file:
        file.seek(0)
        return json.loads(file.read())


def serve(connection: socket.socket, *, is_warm: bool = False) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for a command
    while True:
        message, fds, _, _ = socket.recv_fds(connection, 16, 16)
        if not message:
            return
        if os.fork() == 0:
            connection.close()
            if message == b"warm":
                _warm(*fds)
            else:
                _watch(fds, is_warm)
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _warm(fd: int, request: int) -> None:
    """Read the settings of an environment, and serve its commands."""
    _, environment, folder = _received(request)
    for output in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "afn_project.settings")
    sys.argv, sys.path[0] = ["manage.py"], str(PROJECT)
    with socket.socket(fileno=fd) as connection:
        try:
            import django

            django.setup()
        except Exception:  # noqa: BLE001 - whatever it is, a command says it where it is read
            return
        gc.freeze()
        connection.send(b"warm")
        serve(connection, is_warm=True)


def _watch(fds: list[int], is_warm: bool) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, answer, request = fds
    command, environment, folder = _received(request)
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        for target, fd in enumerate(streams):
            os.dup2(fd, target)
            os.close(fd)
        os.chdir(folder)
        if not is_warm:  # else it is the same, and the settings have added to it
            os.environ.clear()
            os.environ.update(environment)
        _become(command, environment)
    os.write(answer, pid.to_bytes(4, "little"))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):
        os.write(answer, code.to_bytes(4, "little", signed=True))


def _become(command: list[str], environment: dict[str, str]) -> None:
    # Those of this process were made when it had another output.
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115
    at_once = bool(environment.get("PYTHONUNBUFFERED"))
    output = open(1, "wb", buffering=0 if at_once else -1, closefd=False)  # noqa: SIM115
    sys.stdout = io.TextIOWrapper(output, encoding="utf-8", write_through=at_once)
    sys.stderr = io.TextIOWrapper(
        open(2, "wb", closefd=False),  # noqa: SIM115
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent)
    code: Any = 0
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    for name in MODULES:
        __import__(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
