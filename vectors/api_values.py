"""Values that the schemas of requests share, each with its bounds.

Where the library or a model judges a value in better words than Pydantic's, its schema only says the bound:
`declared`. Everything else Pydantic judges itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from ninja import Field
from pydantic import (
    AfterValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from vectors.errors import VectorError, shown
from vectors.limits import (
    MAX_DIMENSIONS,
    MAX_FILTER_CLAUSES,
    MAX_FILTER_DEPTH,
    MAX_KEY,
    MAX_KEYS,
    MAX_METADATA_BYTES,
    MAX_METADATA_DEPTH,
    MAX_NAME,
    MAX_SCHEMA_FIELDS,
)
from vectors.validation import check_text

# The standard has no word for the size of free JSON as a whole.
MAX_BYTES, MAX_DEPTH = "x-max-bytes", "x-max-depth"
_MAX_FLOAT: Final = float(np.finfo(np.float32).max)


def declared(**bounds: Any) -> Any:
    """For Annotated: bounds that the schema shows, and something else holds values to."""
    return Field(json_schema_extra=bounds)


def free_json(*, max_bytes: int = MAX_METADATA_BYTES, max_depth: int = MAX_METADATA_DEPTH) -> Any:
    """For Annotated: any JSON up to a size, by default that of metadata (`vectors.validation`)."""
    return declared(**{MAX_BYTES: max_bytes, MAX_DEPTH: max_depth})


@dataclass(frozen=True)
class OneOf:
    """For Annotated: a text among these, where the model would not say which there are."""

    values: Sequence[str]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"enum": list(self.values)}

    def _check(self, value: str) -> str:
        if value not in self.values:
            wanted = {"expected": " or ".join(self.values), "got": shown(value)}
            raise PydanticCustomError("choice", "Expected {expected}, got {got}", wanted)
        return value


def _storable(value: str) -> str:
    try:
        return check_text(value, "text", minimum=0, maximum=len(value))
    except VectorError as error:
        wanted = {"expected": error.expected, "got": error.got}
        raise PydanticCustomError("text", "Expected {expected}, got {got}", wanted) from error


def _array_as_it_is(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, np.ndarray) else check(value)


# Text that the database can hold, of any length: whoever uses it adds that.
Text = Annotated[str, AfterValidator(_storable)]
# In an address: a longer one is not found.
CollectionName = Annotated[Text, declared(minLength=1, maxLength=MAX_NAME)]
ItemKey = Annotated[Text, declared(minLength=1, maxLength=MAX_KEY)]
# A longer one is just unknown.
Keys = Annotated[list[Annotated[Text, declared(maxLength=MAX_KEY)]], Field(max_length=MAX_KEYS)]
JsonObject = Annotated[dict[str, Any], free_json()]
_VECTOR: Final = {
    "type": "array",
    "items": {"type": "number", "minimum": -_MAX_FLOAT, "maximum": _MAX_FLOAT},
    "maxItems": MAX_DIMENSIONS,
}
# One wrong number is enough to know; a list of 1,536 errors helps nobody. An array came as bytes.
Vector = Annotated[
    list[float] | None,
    Field(fail_fast=True),
    WrapValidator(_array_as_it_is),
    WithJsonSchema({"anyOf": [_VECTOR, {"type": "null"}]}),
]
_FILTER: Final = declared(maxProperties=MAX_FILTER_CLAUSES, **{MAX_DEPTH: MAX_FILTER_DEPTH})
Filter = Annotated[
    Annotated[dict[str, Any], _FILTER] | None,
    Field(description="On metadata; eq ne gt gte lt lte in, and or not."),
]
MetadataSchema = Annotated[dict[str, Any], declared(maxProperties=MAX_SCHEMA_FIELDS)]
Part = Literal["title", "text", "metadata", "vector"]
# Bounded, as each is looked at for each hit.
Include = Annotated[list[Part], Field(max_length=4, description="What to show beside the key.")]
SHOWN: Final[list[Part]] = ["title", "text", "metadata"]
Weight = Annotated[float, declared(minimum=0, maximum=1)]
Limit = Annotated[int, Field(ge=1, le=100, description="Entries a page.")]
Offset = Annotated[int, Field(ge=0, le=2**31 - 1, description="Entries to skip.")]
