"""What the search of prompts takes and gives."""

from typing import Annotated, Any

from ninja import Field, Schema

from vectors.api_values import declared
from vectors.limits import MAX_K, MAX_QUERY
from vectors.search import MODES

from ..models import Status
from .values import LanguageFilter, NameFilter, TagFilter


class PromptSearchQuery(Schema):
    q: Annotated[str, declared(minLength=1, maxLength=MAX_QUERY)] = Field(
        description="What you look for, in your own words.", examples=["make my CV sound better"]
    )
    k: Annotated[int, declared(minimum=1, maximum=MAX_K)] = Field(10, description="Results.")
    mode: Annotated[str, declared(enum=MODES)] = "hybrid"
    status: Annotated[str, declared(enum=Status.values)] | None = None
    tag: TagFilter | None = None
    language: LanguageFilter | None = None
    folder: NameFilter | None = Field(None, description="In this folder or below it.")


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
