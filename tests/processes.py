"""AFN's commands in processes of their own, with an environment that says nothing but what a test says."""

import atexit
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from afn_project.env import BASE_DIR, REFUSED, Env, secret_names
from afn_project.secret_files import SUFFIX
from afn_project.secure_env.keys import KEY, KEY_FILE

from .servers import HOST, free_port
from .zygote import Zygote

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what AFN reads, and with these variables."""
    own = {name.upper() for name in (*Env.model_fields, *REFUSED)} | {"DJANGO_SETTINGS_MODULE"}
    own |= {KEY, KEY_FILE, *(name + SUFFIX for name in secret_names())}
    return {name: value for name, value in os.environ.items() if name not in own} | variables


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a SECRET_KEY is given."""
    environment = clean_environment(SECRET_KEY="k" * 50, **variables)
    if any(name.startswith("PYTHON") for name in variables):  # for the interpreter, as it starts
        return subprocess.run(
            [*MANAGE, *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
    return zygote().run([*MANAGE[1:], *arguments], environment, timeout=120)


@cache
def zygote() -> Zygote:
    """That of this process of the tests, which ends with it."""
    made = Zygote()
    atexit.register(made.close)
    return made


@contextmanager
def website(log: Path, **variables: str) -> Iterator[str]:
    """AFN's own web server in a process; the address of the site. Its output goes to `log`."""
    options = ["--interface", "wsgi", "--no-ws", "--blocking-threads", "4"]
    with _served(log, variables, *options, "afn_project.wsgi:application") as url:
        yield url


@contextmanager
def asgi_site(
    log: Path, workers: int = 1, application: str = "afn_project.asgi:application", **variables: str
) -> Iterator[str]:
    """The same pages, the MCP server, and events."""
    options = ["--interface", "asgi", "--workers", str(workers)]
    with _served(log, variables, *options, application) as url:
        yield url


@contextmanager
def _served(log: Path, variables: dict[str, str], *arguments: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--host", HOST, "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--workers-kill-timeout", "3", *arguments],
            # What recurs would be in the way of what a test counts and times.
            env=clean_environment(**{"SECRET_KEY": "k" * 50, "AFN_SCHEDULE": "0"} | variables),
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://{HOST}:{port}"
        _wait_for(process, f"{url}/health/live", log)
        yield url
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(20)
        for one in psutil.wait_procs(family, timeout=5)[1]:
            one.kill()


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:  # refused, or on a busy machine not answered in time
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer: {log.read_text()}")


@contextmanager
def worker(log: Path, variables: dict[str, str], *options: str) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "--app",
        "afn_project.celery",
        "worker",
        "--loglevel",
        "INFO",
        "--concurrency",
        "1",
        *options,
    ]
    environment = clean_environment(SECRET_KEY="k" * 50, **variables)
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=BASE_DIR, stdout=output, stderr=output)
        try:
            wait_for(lambda: " ready." in log.read_text() or process.poll() is not None)
            yield
        finally:
            process.terminate()
            process.wait(30)


def wait_for(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer
