"""The machine that this process runs on. In a container that is the host, but for its own processes."""

import threading
import time
from typing import Final

import psutil

from ops.health.states import Sample, sample

_LEAST: Final = 0.5  # seconds: of less, the share of time says nothing


class Processors:
    """How busy they were since somebody asked last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at, self._times = time.monotonic(), psutil.cpu_times()
        self._percent = 0.0

    def percent(self) -> float:
        with self._lock:
            now, times = time.monotonic(), psutil.cpu_times()
            if now - self._at >= _LEAST:
                self._percent = _busy(self._times, times)
                self._at, self._times = now, times
            return self._percent


def _busy(before: object, after: object) -> float:
    spent = {name: getattr(after, name) - getattr(before, name) for name in ("user", "system", "idle")}
    for name in ("nice", "irq", "softirq", "steal", "iowait"):
        spent[name] = getattr(after, name, 0.0) - getattr(before, name, 0.0)
    total = sum(spent.values())
    return 100 * (total - spent["idle"] - spent["iowait"]) / total if total > 0 else 0.0


_processors: Final = Processors()


def look() -> list[Sample]:
    memory = psutil.virtual_memory()
    return [
        sample("cpu_usage_percent", round(_processors.percent(), 2)),
        sample("memory_usage_bytes", memory.used, type="used"),
        sample("memory_usage_bytes", memory.available, type="available"),
        sample("memory_usage_bytes", memory.total, type="total"),
        sample("memory_usage_bytes", psutil.Process().memory_info().rss, type="process"),
    ]
