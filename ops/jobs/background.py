"""Without Redis: a thread of the web server's process that does jobs, one after another."""

from ops.background import Background


def _work() -> float:
    from .sweeping import run_due, seconds_until_due

    run_due()
    return seconds_until_due()


_worker = Background("jobs", _work)


def ask() -> None:
    """Work at the end of this request."""
    _worker.is_asked = True


def look() -> None:
    """The same now, for a process that serves."""
    _worker.look()
