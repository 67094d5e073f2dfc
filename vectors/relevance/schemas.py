"""What the API of judgements and runs takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body, Paging, Text

JudgementId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class JudgementIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "when do I get my money back?", "key": "faq/refunds", "grade": 3}]
        }
    )

    query: str = Field(description="At most 10,000 characters.")
    key: str = Field(description="Of the item that is judged; it need not be there.")
    grade: int = Field(description="0 is not relevant; from 1 to 30 the more relevant the higher.")
    source: Literal["api", "click"] = "api"


class JudgementOut(Schema):
    id: int
    query: str
    key: str
    grade: int
    source: str
    language: str = Field(description="en, also for all that is not ja; ja, also for Chinese and Korean.")
    created_by: str
    created_at: datetime


class JudgementPage(Schema):
    items: list[JudgementOut]
    total: int
    limit: int
    offset: int


class JudgementFilter(Paging):
    query: Text | None = Field(None, description="Just this query.")
    key: Text | None = Field(None, description="Just this item.")
    source: Text | None = Field(None, description="import, click or api.")
    language: Text | None = Field(None, description="en or ja.")


class RunOut(Schema):
    id: int
    mode: str
    source: str = Field(description="Where the queries came from: judgements or known-items.")
    settings: dict[str, Any]
    index: dict[str, Any]
    n: int = Field(description="How many queries were searched for.")
    metrics: dict[str, Any] = Field(
        description="Means with the bounds of their 95 % intervals.",
        examples=[{"ndcg@10": {"mean": 0.812, "low": 0.77, "high": 0.851}}],
    )
    created_at: datetime


class RunPage(Schema):
    items: list[RunOut]
    total: int
    limit: int
    offset: int


class RunFilter(Paging):
    mode: Text | None = Field(None, description="hybrid, semantic or keyword.")
    source: Text | None = Field(None, description="judgements or known-items.")
