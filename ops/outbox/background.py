"""Without Redis: a thread of the web server's process that sweeps (see `ops.background`)."""

from ops.background import Background


def _sweep() -> float:
    from .sweeping import THREADS, seconds_until_due, sweep

    sweep(THREADS)
    return seconds_until_due()


_sweeper = Background("outbox", _sweep)


def ask() -> None:
    """Sweep at the end of this request."""
    _sweeper.is_asked = True
