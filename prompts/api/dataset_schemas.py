"""What the operations on datasets take and give."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import JsonObject, Text, free_json
from vectors.schemas import Body

from ..evaluating.datasets import MAX_ITEMS
from .values import DatasetName, ItemText


class DatasetIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "support-questions"}]})

    name: DatasetName = Field(description="Without slashes.")
    description: Text = Field("", max_length=10_000)


class DatasetOut(Schema):
    name: str
    description: str
    count: int = Field(description="How many items it has.")
    created_at: datetime
    updated_at: datetime


class DatasetPage(Schema):
    items: list[DatasetOut]
    total: int
    limit: int
    offset: int


class DatasetItemIn(Body):
    key: ItemText = Field(description="Names the item in evaluations.")
    variables: JsonObject = {}
    placeholders: JsonObject = {}
    expected: Annotated[Any, free_json()] = Field(
        None, description="What is to come out: a text or other JSON; null: nothing known."
    )
    metadata: JsonObject = {}


class DatasetItemsIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [{"key": "q1", "variables": {"question": "2 + 2?"}, "expected": "4"}]}]
        }
    )

    items: list[DatasetItemIn] = Field(min_length=1, max_length=MAX_ITEMS)


class DatasetItemsOut(Schema):
    inserted: int
    updated: int


class DatasetItemOut(Schema):
    key: str
    variables: dict[str, Any]
    placeholders: dict[str, Any]
    expected: Any
    metadata: dict[str, Any]


class DatasetItemPage(Schema):
    items: list[DatasetItemOut]
    total: int
    limit: int
    offset: int
