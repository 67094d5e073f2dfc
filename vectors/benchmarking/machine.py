"""What the figures were measured on; neither its name nor any of its paths."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


def describe(versions: dict[str, str]) -> dict[str, Any]:
    """Processor, cores, memory, system, and the versions of what was measured."""
    own = {name: version(name) for name in ("django", "libsql") if _is_installed(name)}
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "libraries": dict(sorted({**own, **versions}.items())),
    }


def _is_installed(name: str) -> bool:
    return find_spec(name) is not None


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()  # noqa: S603
    return platform.processor() or platform.machine()
