"""What the operations on evaluations take and give."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body, Paging, Text

from ..models import Evaluation
from .values import VersionNumber


class EvaluationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": 0.92, "metrics": {"accuracy": 0.95, "latency_ms": 840}}]}
    )

    score: float = Field(description="From 0 (worst) to 1 (best).")
    metrics: dict[str, Any] = {}
    name: Text = Field("", description="What was judged, such as accuracy; empty: the main score.")
    item: Text = Field("", description="On what; versions are compared on the same items.")
    version: VersionNumber | None = Field(None, description="Left out: the current one.")


class EvaluationFilters(Paging):
    version: VersionNumber | None = None
    name: Text | None = None


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
