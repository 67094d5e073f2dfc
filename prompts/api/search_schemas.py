"""What the search of prompts takes and gives."""

from typing import Any

from ninja import Field, Schema

from ..models import Status


class PromptSearchQuery(Schema):
    q: str = Field(description="What you look for, in your own words.", examples=["make my CV sound better"])
    k: int = Field(10, description="1 to 1,000 results.")
    mode: str = Field("hybrid", description="hybrid, semantic or keyword.")
    status: str | None = Field(None, description=", ".join(Status.values) + ".")
    tag: str | None = None
    language: str | None = None
    folder: str | None = Field(None, description="In this folder or below it.")


class PromptHitOut(Schema):
    id: str
    name: str
    title: str
    status: str
    language: str
    version: int
    tags: list[str]
    snippet: str
    content: str
    distance: float | None = Field(description="0 is nearest; null where only words were compared.")
    score: float
    ranks: dict[str, int | None] = Field(examples=[{"keyword": 1, "semantic": 2}])


class PromptSearchOut(Schema):
    query: str
    mode: str
    k: int
    took_ms: float
    results: list[PromptHitOut]
    plan: dict[str, Any] = Field(
        description="How the results were found.",
        examples=[
            {
                "strategy": "exact",
                "scanned": 120,
                "probes": 0,
                "reranked": 0,
                "exhaustive": True,
                "filtered_out": 0,
                "ms": 1.2,
            }
        ],
    )
