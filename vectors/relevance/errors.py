"""What judging raises beside the library's own errors."""

from __future__ import annotations

from vectors.errors import VectorError


class InvalidJudgement(VectorError):
    """A query, key, grade or file of judgements is not acceptable; `field` also names the line of a file."""
