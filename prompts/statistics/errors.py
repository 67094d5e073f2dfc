"""What is wrong with the figures that a test was given."""

from __future__ import annotations


class InvalidFigures(ValueError):
    """Base of the errors of this package: names the argument, what was expected and what came."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(field, expected, got)

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.got}."


class InvalidScores(InvalidFigures):
    """Scores that are no numbers from 0 to 1, or not of the same items."""


class InvalidCounts(InvalidFigures):
    """Counts that are negative, no numbers, or of another number of arms than the weights."""


class InvalidWeights(InvalidFigures):
    """Weights that share nothing out."""


class InvalidLevel(InvalidFigures):
    """A confidence, error rate or p outside its range."""


class InvalidSubject(InvalidFigures):
    """A salt or subject that cannot be hashed, or a share outside 0…1."""
