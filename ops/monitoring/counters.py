"""What each process counts while it works. Prometheus's client adds up the processes of a machine
(PROMETHEUS_MULTIPROC_DIR)."""

from typing import Final

from prometheus_client import Gauge, Histogram

_QUERY_BUCKETS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
_SEARCH_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

query_duration: Final = Histogram(
    "query_duration_seconds", "Time of a statement, with the way to the database.", ["operation"],
    buckets=_QUERY_BUCKETS,
)  # fmt: skip
vector_search_latency: Final = Histogram(
    "vector_search_latency_seconds", "Time of a search, with the embedding of its query.",
    buckets=_SEARCH_BUCKETS,
)  # fmt: skip
db_connections: Final = Gauge(
    "db_connections", "Connections that AFN's processes on this machine have open.", ["database"],
    multiprocess_mode="livesum",
)  # fmt: skip
realtime_connections: Final = Gauge(
    "realtime_connections", "Clients of /ws and /events that AFN's processes on this machine have.", ["kind"],
    multiprocess_mode="livesum",
)  # fmt: skip
for _kind in ("websocket", "sse"):
    realtime_connections.labels(_kind)  # nobody is a figure, too
