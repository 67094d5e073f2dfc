"""The figures of this moment, of the machine and of all that AFN stands on."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry

from ops.health import watching
from ops.health.states import Health, Sample, Status, sample

from . import machine
from .certificates import certificates
from .processes import summed

Measured = dict[str, list[Sample]]
_LEVELS: Final = {Status.OK: 0, Status.DEGRADED: 1, Status.DOWN: 2}


def measure(health: Health | None = None) -> Measured:
    """By name as in Prometheus (`names`, and `db_connections`); what cannot be told now is left out.

    Quick: what takes long is a few seconds old (`ops.health.watching`), or as old as the given `health`.
    """
    return by_name([*of_now(health), *_connections(summed())])


def value(measured: Measured, name: str, **labels: str) -> float | None:
    """One figure; of several that fit, the largest."""
    found = [one.value for one in measured.get(name, ()) if labels.items() <= one.labels.items()]
    return max(found, default=None)


def of_now(health: Health | None = None) -> list[Sample]:
    return [*machine.look(), *certificates.known(), *_of_health(health or watching.current())]


def by_name(samples: list[Sample]) -> Measured:
    found: Measured = {}
    for one in samples:
        found.setdefault(one.name, []).append(one)
    return found


def _of_health(health: Health) -> list[Sample]:
    found = [sample("afn_health_ready", health.is_ready)]
    for part, state in health.states.items():
        if state.status != Status.DISABLED:
            found.append(sample("afn_health_status", _LEVELS[state.status], part=part))
            found.append(sample("afn_health_since_timestamp_seconds", state.since, part=part))
            found.append(sample("afn_health_probe_seconds", state.seconds, part=part))
        found += state.samples
    return found


def _connections(registry: CollectorRegistry) -> list[Sample]:
    return [
        sample(one.name, one.value, **one.labels)
        for family in registry.collect()
        if family.name == "db_connections"
        for one in family.samples
    ]
