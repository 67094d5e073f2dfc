"""The counters of all processes of this machine (PROMETHEUS_MULTIPROC_DIR), or of this one alone."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_OF_A_PROCESS: Final = re.compile(r"[a-z_]+_(\d+)\.db")


def summed() -> CollectorRegistry:
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        return REGISTRY
    forget_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)
    return registry


def forget_dead(folder: Path) -> None:
    """What a process that is gone had open is not open any more; what it has counted goes on to count."""
    for file in folder.glob("gauge_live*.db"):
        found = _OF_A_PROCESS.fullmatch(file.name)
        if found is not None and not _is_alive(int(found[1])):
            with suppress(FileNotFoundError):  # two scrapes at a time
                mark_process_dead(int(found[1]), str(folder))


def _is_alive(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def emptied(folder: Path) -> dict[str, str]:
    """The variable that has processes share their counters in `folder`, which is made, and emptied of those
    of the processes before: for who starts a server, before it does.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
    return {VARIABLE: str(folder)}
