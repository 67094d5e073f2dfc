"""How fast this Redis writes and reads, one call after the other, as requests do it."""

import json
import secrets
import time
from statistics import median
from typing import Any, Final

from .findings import Report

_SLOW: Final = 10.0  # milliseconds for the slowest call but one in a hundred
_KEYS: Final = 100
_SECONDS: Final = 60  # so long a key lives that a killed check left


def measure(client: Any, report: Report, operations: int) -> None:
    """Write and read `operations` times, see that what comes back is what was written, and leave nothing."""
    prefix = f"afn:check:{secrets.token_hex(8)}"
    keys = [f"{prefix}:{number}" for number in range(min(_KEYS, operations))]
    writes, reads, wrong = [], [], 0
    try:
        for number in range(operations):
            key = keys[number % len(keys)]
            value = json.dumps({"number": number, "text": "プロンプト"}, ensure_ascii=False)
            start = time.perf_counter()
            client.set(key, value, ex=_SECONDS)
            written = time.perf_counter()
            found = client.get(key)
            reads.append((time.perf_counter() - written) * 1_000)
            writes.append((written - start) * 1_000)
            wrong += found != value
    finally:
        client.delete(*keys)
    both = sorted(writes + reads)
    slowest = both[int(0.99 * (len(both) - 1))]
    report.figures |= {
        "write_ms": round(median(writes), 3),
        "read_ms": round(median(reads), 3),
        "p99_ms": round(slowest, 3),
        "operations_per_second": round(len(both) / sum(both) * 1_000, 1),
    }
    text = (
        f"{operations:,} written and read, {report.figures['operations_per_second']:,.0f} calls a second; "
        f"median {median(writes):.2f} ms to write, {median(reads):.2f} ms to read, p99 {slowest:.2f} ms"
    )
    if wrong:
        report.fail(
            "speed",
            f"{wrong:,} of {operations:,} values came back as others",
            "Look at `maxmemory` and its policy, and for a proxy between: a Redis gives back what it took.",
        )
    elif slowest > _SLOW:
        report.warn(
            "speed",
            text,
            "Keep Redis near AFN and its machine free of other load; `SLOWLOG GET` and `LATENCY DOCTOR` as "
            "the user `monitor` say what takes long.",
        )
    else:
        report.ok("speed", text)
