"""What the benchmark raises."""

from __future__ import annotations

from vectors.errors import VectorError


class InvalidBenchmark(VectorError):
    """An option, or the data it names, is not acceptable. `field` is the option."""


class NotMeasured(Exception):
    """An engine failed, is missing or was left out; the text says why, in one line."""
