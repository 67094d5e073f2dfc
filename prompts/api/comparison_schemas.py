"""What comparisons of versions by their scores take and give."""

from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from .values import ScoreName, VersionNumber

_TEST: dict[str, Any] = {
    "test": "mcnemar",
    "n": 120,
    "p": 0.012,
    "estimate": 0.08,
    "ci": [0.02, 0.14],
    "confidence": 0.95,
    "wins": 14,
    "losses": 4,
    "ties": 102,
}


class ComparisonQuery(Schema):
    from_: VersionNumber = Field(alias="from")
    to: VersionNumber
    name: ScoreName = ""
    confidence: float = Field(0.95, ge=0.5, le=0.9999)


class ItemDifference(Schema):
    model_config = ConfigDict(populate_by_name=True)

    item: str
    from_: float = Field(alias="from")
    to: float


class ComparisonOut(Schema):
    model_config = ConfigDict(populate_by_name=True)

    from_: int = Field(alias="from")
    to: int
    name: str
    test: dict[str, Any] | None = Field(examples=[_TEST])
    items: list[ItemDifference] = Field(description="Those that differ most, the worst first.")
    only_from: int = Field(description="Items that only the first version was evaluated on.")
    only_to: int


class ScoresQuery(Schema):
    name: ScoreName = ""


class VersionScores(Schema):
    version: int
    n: int
    mean: float
    ci: list[float] | None = Field(description="95 % interval of the mean; null of one evaluation.")


class ScoresOut(Schema):
    items: list[VersionScores]
