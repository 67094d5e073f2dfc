"""What the vectors API takes and gives. The library itself checks texts, vectors and filters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
from ninja import Field, Schema
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from vectors.errors import VectorError
from vectors.limits import MAX_FACET, MAX_KEYS, MAX_PAGE, MAX_SEARCHES
from vectors.validation import check_text

MAX_BATCH = 1_000


def _storable(value: str) -> str:
    try:
        return check_text(value, "text", minimum=0, maximum=len(value))
    except VectorError as error:
        wanted = {"expected": error.expected, "got": error.got}
        raise PydanticCustomError("text", "Expected {expected}, got {got}", wanted) from error


# Text that the database can hold; its length is for the models to judge.
Text = Annotated[str, AfterValidator(_storable)]


def _array_as_it_is(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, np.ndarray) else check(value)


# One wrong number is enough to know; a list of 1,536 errors helps nobody. An array came as bytes.
Vector = Annotated[list[float] | None, Field(fail_fast=True), WrapValidator(_array_as_it_is)]
Filter = Annotated[
    dict[str, Any] | None, Field(description="On metadata; eq ne gt gte lt lte in, and or not.")
]
Part = Literal["title", "text", "metadata", "vector"]
# Bounded, as each is looked at for each hit.
Include = Annotated[list[Part], Field(max_length=4, description="What to show beside the key.")]
SHOWN: list[Part] = ["title", "text", "metadata"]
Keys = Annotated[list[Text], Field(max_length=MAX_KEYS)]
Limit = Annotated[int, Field(ge=1, le=100, description="Entries a page.")]
Offset = Annotated[int, Field(ge=0, le=2**31 - 1, description="Entries to skip.")]


class Body(BaseModel):
    """A request's body: JSON types are taken at their word, and unknown members are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Problem(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(examples=["items[3].vector"])
    msg: str = Field(examples=["Expected 256 dimensions, got 3"])
    expected: str | None = Field(None, examples=["256 dimensions"])
    got: str | None = Field(None, examples=["3"])


class ErrorOut(BaseModel):
    """Every error has this form."""

    detail: list[Problem] | str


# The statuses that any operation may answer with.
ERRORS = frozenset({400, 401, 403, 404, 409, 411, 413, 415, 422, 423, 429, 503})


class Paging(Schema):
    limit: Limit = 50
    offset: Offset = 0


_SCHEMA = (
    'Types of metadata by field: {"type": "string, integer, number, boolean, datetime or string[]", '
    '"required": false, "indexed": false}. Stored items have to satisfy it.'
)


class CollectionIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "support-notes"},
                {"name": "own-vectors", "embedder": "", "dimensions": 3, "metric": "cosine"},
            ]
        }
    )

    name: str = Field(description="Without slashes, at most 128 characters.")
    embedder: str | None = Field(
        None, description="Makes the vectors. Left out: the server's default. Empty: you bring the vectors."
    )
    dimensions: int | None = Field(None, description="Needed where you bring the vectors.")
    metric: str | None = Field(None, description="cosine or l2.")
    strategy: str = Field("auto", description="auto, exact, quantised, ivf or diskann.")
    keyword_weight: float | None = Field(None, description="Share of keywords in hybrid search, 0…1.")
    keyword_weight_cjk: float | None = Field(
        None, description="The same for queries in Japanese, Chinese or Korean."
    )
    metadata_schema: dict[str, Any] = Field({}, description=_SCHEMA)
    metadata_strict: bool = Field(False, description="Refuse fields that the schema does not name.")


class CollectionChange(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"metadata_schema": {"lang": {"type": "string", "required": True, "indexed": True}}},
                {"metadata_schema": {}, "metadata_strict": False},
            ]
        }
    )

    metadata_schema: dict[str, Any] = Field(description=_SCHEMA)
    metadata_strict: bool = Field(False, description="Refuse fields that the schema does not name.")


class CollectionOut(Schema):
    name: str
    embedder: str
    model: str
    dimensions: int
    metric: str
    strategy: str
    keyword_weight: float | None
    keyword_weight_cjk: float | None
    created_at: datetime
    updated_at: datetime


class CollectionDetail(CollectionOut):
    metadata_schema: dict[str, Any]
    metadata_strict: bool
    count: int = Field(description="How many items it holds.")


class CollectionPage(Schema):
    items: list[CollectionOut]
    total: int
    limit: int
    offset: int


class ItemIn(Body):
    key: str = Field(description="Yours; the same key again replaces the item.")
    text: str
    title: str = ""
    metadata: dict[str, Any] = Field({}, description="At most 64 KB and 8 levels; filters look at it.")
    vector: Vector = Field(None, description="Your own embedding. Left out: the embedder makes it.")


class ItemsIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "key": "faq/refunds",
                            "text": "Refunds are paid within five days.",
                            "title": "Refunds",
                            "metadata": {"lang": "en", "tags": ["billing"]},
                        }
                    ]
                }
            ]
        }
    )

    items: list[ItemIn] = Field(max_length=MAX_BATCH)


class UpsertOut(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"inserted": 1, "updated": 0, "unchanged": 0}]})

    inserted: int
    updated: int
    unchanged: int


class ItemOut(Schema):
    key: str
    title: str
    text: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class ShownItem(Schema):
    """An item with the parts that were asked for."""

    key: str
    title: str | None = None
    text: str | None = None
    metadata: dict[str, Any] | None = None
    vector: list[float] | None = None
    created_at: str
    updated_at: str


class GetIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"keys": ["faq/refunds", "faq/hours"]}]})

    keys: Keys
    include: Include = SHOWN


class GetOut(Schema):
    items: list[ShownItem] = Field(description="In the order of the keys; unknown ones are left out.")


class ScrollIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"limit": 100}, {"after": 4711, "filter": {"lang": "en"}}]}
    )

    after: int = Field(0, description="The `next` of the page before.")
    limit: int = Field(100, description=f"1 to {MAX_PAGE:,} items.")
    filter: Filter = None
    include: Include = SHOWN


class ScrollOut(Schema):
    items: list[ShownItem]
    next: int | None = Field(description="The `after` of the next page; null at the end.")


class CountIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"filter": {"lang": "en"}}, {}]})

    filter: Filter = None


class CountOut(Schema):
    count: int


class FacetIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"field": "tags", "limit": 20}]})

    field: str = Field(description="A field of the metadata; `a.b` leads into objects.")
    filter: Filter = None
    limit: int = Field(10, description=f"1 to {MAX_FACET:,} values, the most frequent first.")


class FacetValueOut(Schema):
    value: str | bool | int | float | None
    count: int = Field(description="Items that have the value, alone or in a list.")


class FacetOut(Schema):
    values: list[FacetValueOut]


class DeleteIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filter": {"lang": "en"}, "dry_run": True}, {"keys": ["faq/refunds", "faq/hours"]}]
        }
    )

    keys: Keys | None = None
    filter: Filter = None
    dry_run: bool = Field(False, description="Only count what would be deleted.")


class DeleteOut(Schema):
    deleted: int = Field(description="Items that are gone, or would be.")
    dry_run: bool


class ExportQuery(Schema):
    format: Literal["jsonl"] = "jsonl"
    vectors: bool = Field(False, description="Embeddings as well.")


class ImportProblem(Schema):
    line: int
    field: str
    expected: str
    got: str


class ImportOut(UpsertOut):
    refused: int = Field(description="Lines that were left out.")
    problems: list[ImportProblem] = Field(description="Why, for the first 100 of them.")


class SearchIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "when do I get my money back?", "k": 5, "filter": {"lang": "en"}},
                {"vector": [0.1, 0.2, 0.3], "k": 5, "mode": "semantic"},
            ]
        }
    )

    query: str | None = None
    vector: Vector = Field(None, description="Stands in for the embedded query.")
    key: str | None = Field(None, description="So does the embedding of this item, which is no hit itself.")
    k: int = Field(10, description="1 to 1,000 hits.")
    mode: str = Field("hybrid", description="hybrid, semantic or keyword.")
    filter: Filter = None
    fusion: str = Field("convex", description="convex or rrf.")
    include: Include = SHOWN
    with_plan: bool = Field(True, description="Say how the hits were found.")


class SearchesIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"searches": [{"query": "refunds", "k": 3}, {"key": "faq/refunds", "k": 3}]}]
        }
    )

    searches: list[SearchIn] = Field(min_length=1, max_length=MAX_SEARCHES)


class HitOut(BaseModel):
    key: str
    title: str | None = None
    text: str | None = None
    metadata: dict[str, Any] | None = None
    vector: list[float] | None = None
    distance: float | None = Field(description="0 is nearest; null where only words were compared.")
    similarity: float | None
    score: float
    ranks: dict[str, int | None]


class SearchOut(BaseModel):
    hits: list[HitOut]
    plan: dict[str, Any] | None = Field(
        None,
        description="How the hits were found.",
        examples=[
            {
                "strategy": "exact",
                "scanned": 1,
                "probes": 0,
                "reranked": 0,
                "exhaustive": True,
                "filtered_out": 0,
                "ms": 0.4,
            }
        ],
    )
    took_ms: float


class SearchesOut(Schema):
    results: list[SearchOut] = Field(description="In the order of the searches.")
