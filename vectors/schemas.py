"""What the vectors API takes and gives. The library itself checks texts, vectors and filters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import BaseModel, ConfigDict

from vectors.api_values import (
    SHOWN,
    Filter,
    Include,
    JsonObject,
    Keys,
    Limit,
    MetadataSchema,
    Offset,
    Vector,
    Weight,
    declared,
)
from vectors.limits import (
    MAX_DIMENSIONS,
    MAX_FACET,
    MAX_FILTER_STRING,
    MAX_K,
    MAX_KEY,
    MAX_NAME,
    MAX_PAGE,
    MAX_QUERY,
    MAX_SEARCHES,
    MAX_TEXT,
    MAX_TITLE,
)
from vectors.models import Metric
from vectors.search import FUSIONS, MODES
from vectors.strategies import STRATEGIES

MAX_BATCH = 1_000


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

    name: Annotated[str, declared(minLength=1, maxLength=MAX_NAME)] = Field(description="Without slashes.")
    embedder: Annotated[str, Field(max_length=MAX_NAME)] | None = Field(
        None, description="Makes the vectors. Left out: the server's default. Empty: you bring the vectors."
    )
    dimensions: int | None = Field(
        None, ge=1, le=MAX_DIMENSIONS, description="Needed where you bring the vectors."
    )
    metric: Annotated[str, declared(enum=Metric.values)] | None = None
    strategy: Annotated[str, declared(enum=STRATEGIES)] = "auto"
    keyword_weight: Weight | None = Field(None, description="Share of keywords in hybrid search.")
    keyword_weight_cjk: Weight | None = Field(
        None, description="The same for queries in Japanese, Chinese or Korean."
    )
    metadata_schema: MetadataSchema = Field({}, description=_SCHEMA)
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

    metadata_schema: MetadataSchema = Field(description=_SCHEMA)
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
    key: Annotated[str, declared(minLength=1, maxLength=MAX_KEY)] = Field(
        description="Yours; the same key again replaces the item."
    )
    text: Annotated[str, declared(minLength=1, maxLength=MAX_TEXT)]
    title: Annotated[str, declared(maxLength=MAX_TITLE)] = ""
    metadata: JsonObject = Field({}, description="At most 64 KB and 8 levels; filters look at it.")
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

    after: Annotated[int, declared(minimum=0, maximum=2**63 - 1)] = Field(
        0, description="The `next` of the page before."
    )
    limit: Annotated[int, declared(minimum=1, maximum=MAX_PAGE)] = Field(100, description="Items.")
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

    field: Annotated[str, declared(minLength=1, maxLength=MAX_FILTER_STRING)] = Field(
        description="A field of the metadata; `a.b` leads into objects."
    )
    filter: Filter = None
    limit: Annotated[int, declared(minimum=1, maximum=MAX_FACET)] = Field(
        10, description="Values, the most frequent first."
    )


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

    query: Annotated[str, declared(minLength=1, maxLength=MAX_QUERY)] | None = None
    vector: Vector = Field(None, description="Stands in for the embedded query.")
    key: Annotated[str, declared(minLength=1, maxLength=MAX_KEY)] | None = Field(
        None, description="So does the embedding of this item, which is no hit itself."
    )
    k: Annotated[int, declared(minimum=1, maximum=MAX_K)] = Field(10, description="Hits.")
    mode: Annotated[str, declared(enum=MODES)] = "hybrid"
    filter: Filter = None
    fusion: Annotated[str, declared(enum=FUSIONS)] = "convex"
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
