"""What the commands that measure have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from vectors.benchmarking.errors import NotMeasured
from vectors.benchmarking.processes import interruptible


@contextmanager
def measured() -> Iterator[None]:
    """Within, what cannot be measured is said in a line, and nothing temporary is left by an interruption."""
    try:
        with interruptible():
            yield
    except (NotMeasured, OSError) as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt as error:
        raise CommandError("Interrupted; nothing temporary was left.", returncode=130) from error
