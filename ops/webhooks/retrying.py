"""When a delivery that failed is tried again: 8 attempts within a day, ever further apart."""

import random
from datetime import timedelta
from typing import Final

# Seconds after the first attempt, the second, …: 23½ hours in all.
_DELAYS: Final = (10, 60, 300, 1_800, 7_200, 21_600, 54_000)
MAX_ATTEMPTS: Final = len(_DELAYS) + 1
MAX_RETRY_AFTER: Final = 3_600
PAUSE_AFTER: Final = timedelta(hours=24)


def delay(attempts: int, retry_after: int = 0, *, chance: float | None = None) -> timedelta | None:
    """How long to wait after so many attempts; None where there is to be no other one.

    By up to a fifth shorter or longer, so that what failed together does not come back together. A receiver
    that asks for more time (`retry_after`, in seconds) gets up to an hour. `chance`, 0 to 1, is for tests.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    share = random.random() if chance is None else chance  # noqa: S311 - nobody gains by guessing it
    seconds = _DELAYS[attempts - 1] * (0.8 + 0.4 * share)
    return timedelta(seconds=max(seconds, min(retry_after, MAX_RETRY_AFTER)))
