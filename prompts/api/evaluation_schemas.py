"""What the operations on evaluations take and give."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import JsonObject
from vectors.schemas import Body, Paging

from ..models import Evaluation
from .values import ItemText, ScoreName, VersionNumber


class EvaluationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": 0.92, "metrics": {"accuracy": 0.95, "latency_ms": 840}}]}
    )

    score: float = Field(ge=0, le=1, description="From 0 (worst) to 1 (best).")
    metrics: JsonObject = Field({}, description="At most 64 KB and 8 levels.")
    name: ScoreName = Field("", description="What was judged, such as accuracy; empty: the main score.")
    item: ItemText = Field("", description="On what; versions are compared on the same items.")
    version: VersionNumber | None = Field(None, description="Left out: the current one.")


class EvaluationFilters(Paging):
    version: VersionNumber | None = None
    name: ScoreName | None = None


class EvaluationOut(Schema):
    id: str
    version: int | None
    name: str
    item: str
    score: float
    metrics: dict[str, Any]
    created_at: datetime

    @staticmethod
    def resolve_version(evaluation: Evaluation) -> int | None:
        return evaluation.version.version if evaluation.version else None


class EvaluationPage(Schema):
    items: list[EvaluationOut]
    total: int
    limit: int
    offset: int
