"""Values that filters offer, kept for a while where finding them takes long: in a registry of 100,000 prompts
nobody waits for them on each page, and in a small one they are always those of now.
"""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.db import connection

LONG: Final = 0.02  # seconds
KEPT: Final = 60.0  # seconds

_lock: Final = threading.Lock()
_kept: dict[tuple[str, str], tuple[float, list[str]]] = {}


def kept_where_slow(find: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """Of each database its own."""

    @wraps(find)
    def found() -> list[str]:
        name: Any = connection.settings_dict["NAME"]
        key = str(name), find.__name__
        with _lock:
            until, values = _kept.get(key, (0.0, []))
        started = time.monotonic()
        if started < until:
            return values
        values = find()
        now = time.monotonic()
        with _lock:
            if now - started >= LONG:
                _kept[key] = now + KEPT, values
            else:
                _kept.pop(key, None)
        return values

    return found


def forget() -> None:
    """For tests."""
    with _lock:
        _kept.clear()
