"""Rates as settings write them: ``1000/min``. Imports nothing of Django's: settings are read with it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_RATE: Final = re.compile(r"([1-9]\d{0,8})/(s|sec|second|m|min|minute|h|hour|d|day)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    count: int
    seconds: int


@lru_cache
def read_rate(text: str | None) -> Rate | None:
    """``1000/min`` and its like; None for no limit. Raises ValueError."""
    if not text:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError("Expected a number of requests in a time, such as 1000/min, 20/s or 5000/hour")
    return Rate(int(found[1]), _SECONDS[found[2][0]])
