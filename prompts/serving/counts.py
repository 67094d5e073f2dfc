"""How many answers came from where."""

from typing import Final

from prometheus_client import Counter

_served: Final = Counter(
    "afn_prompts_served",
    "Answers to requests that read the registry: from memory, shared memory, the database (miss), or old.",
    ["source"],
)
_by_source: Final = {name: _served.labels(name) for name in ("memory", "shared", "miss", "none", "stale")}


def count(source: str) -> None:
    _by_source[source].inc()
