"""How much came that AFN takes and does not keep: traces are for another system."""

from typing import Final

from prometheus_client import Counter

_dropped: Final = Counter(
    "afn_langfuse_dropped",
    "Spans and events from clients of Langfuse that were taken and not kept.",
    ["kind"],
)


def count_dropped(kind: str, number: int) -> None:
    """`kind` is span or event."""
    if number:
        _dropped.labels(kind).inc(number)
