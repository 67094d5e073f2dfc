"""The totals of this moment, out of what the processes of this machine count for Prometheus."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import Metric

from ops.health.states import Health
from ops.monitoring.processes import VARIABLE, summed

_REQUESTS: Final = "django_http_requests_before_middlewares_total"
_ANSWERS: Final = "django_http_responses_total_by_status_total"
_SERVED: Final = "afn_prompts_served_total"
_SEARCH: Final = "vector_search_latency_seconds"
# Answered without the database.
_HITS: Final = frozenset({"memory", "shared", "stale"})


def source() -> str:
    """Whose totals they are."""
    machine = platform.node()[:100] or "machine"
    return machine if os.environ.get(VARIABLE) else f"{machine}:{os.getpid()}"


def totals(health: Health | None, families: Iterable[Metric] | None = None) -> dict[str, Any]:
    """``requests``, ``errors`` (5xx), ``hits`` and ``misses`` of prompts served; ``search``: how many
    searches took up to so many seconds, by that bound; and of now the ``waiting`` jobs.
    """
    found: dict[str, Any] = {"requests": 0, "errors": 0, "hits": 0, "misses": 0, "search": {}}
    for family in summed().collect() if families is None else families:
        for one in family.samples:
            if one.name == _REQUESTS:
                found["requests"] += one.value
            elif one.name == _ANSWERS and one.labels.get("status", "").startswith("5"):
                found["errors"] += one.value
            elif one.name == _SERVED and one.labels["source"] != "none":
                found["hits" if one.labels["source"] in _HITS else "misses"] += one.value
            elif one.name == f"{_SEARCH}_bucket":
                found["search"][one.labels["le"]] = one.value
    found["waiting"] = _waiting(health)
    return found


def _waiting(health: Health | None) -> float | None:
    samples = health.states["jobs"].samples if health and "jobs" in health.states else []
    return next((one.value for one in samples if one.name == "afn_jobs_waiting"), None)
