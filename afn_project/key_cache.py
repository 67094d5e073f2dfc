"""Who an API key belongs to, remembered for some seconds: looking it up costs more than reading a prompt.

For reading only. A key that is revoked, and a user whose account is closed, are noticed at once by the
process that did it, and after SECONDS by all others.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from django.db.models.signals import post_delete, post_save

from prompts.models import ApiKey, User
from prompts.serving.responses import admitted

SECONDS: Final = 3.0
_MAX: Final = 10_000


class KeyCache:
    """Threads share it; it holds hashes of credentials, never a secret."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[bytes, tuple[float, ApiKey]] = OrderedDict()

    def get(self, credentials: str) -> ApiKey | None:
        entry = self._keys.get(_digest(credentials))
        if entry is None or self._clock() - entry[0] > SECONDS:
            return None
        return entry[1] if entry[1].is_usable else None

    def put(self, credentials: str, key: ApiKey) -> None:
        with self._lock:
            digest = _digest(credentials)
            moment = self._clock()
            self._keys[digest] = moment, key
            key.looked_up = moment  # type: ignore[attr-defined]  # what follows from it lasts no longer
            self._keys.move_to_end(digest)
            while len(self._keys) > _MAX:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


key_cache: Final = KeyCache()


def install() -> None:
    """Have changes of keys and of users count at once in this process."""
    for model in (ApiKey, User):
        for signal in (post_save, post_delete):
            signal.connect(_forget, sender=model, dispatch_uid=f"forget-keys-{model.__name__}-{id(signal)}")


def _forget(**kwargs: Any) -> None:
    key_cache.clear()
    admitted.clear()


def _digest(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode("utf-8", "surrogatepass")).digest()
