"""What the API of judgements and runs takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import Text, declared
from vectors.limits import MAX_KEY
from vectors.relevance.judging import MAX_QUERY
from vectors.relevance.models import MAX_GRADE, JudgementSource, Language, QuerySource
from vectors.schemas import Body, Paging

JudgementId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class JudgementIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "when do I get my money back?", "key": "faq/refunds", "grade": 3}]
        }
    )

    query: Annotated[str, declared(minLength=1, maxLength=MAX_QUERY)]
    key: Annotated[str, declared(minLength=1, maxLength=MAX_KEY)] = Field(
        description="Of the item that is judged; it need not be there."
    )
    grade: Annotated[int, declared(minimum=0, maximum=MAX_GRADE)] = Field(
        description="0 is not relevant; from 1 on the more relevant the higher."
    )
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
    query: Annotated[Text, Field(max_length=MAX_QUERY)] | None = Field(None, description="Just this query.")
    key: Annotated[Text, Field(max_length=MAX_KEY)] | None = Field(None, description="Just this item.")
    source: JudgementSource | None = None
    language: Language | None = None


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
    mode: Literal["hybrid", "semantic", "keyword"] | None = None
    source: QuerySource | None = None
