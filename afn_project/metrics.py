"""What Prometheus is told beyond django-prometheus's own."""

from collections.abc import Iterator
from pathlib import Path

from django.db import connections
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .libsql.dsn import parse_name
from .libsql.sync import read_status


class ReplicaLag(Collector):
    """``afn_replica_lag_seconds``: by how much the local copy may be behind at the moment of asking."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily("afn_replica_lag_seconds", "Seconds by which the local copy may be behind.")
        status = read_status(self.file)
        gauge.add_metric([], status.lag if status else float("inf"))
        yield gauge


def install() -> None:
    """Once for each process, where there is a local copy."""
    name = str(connections.databases.get("replica", {}).get("NAME", ""))
    if name.startswith("file:"):
        REGISTRY.register(ReplicaLag(parse_name(name).file))
