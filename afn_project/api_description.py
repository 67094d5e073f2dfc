"""The errors that every operation may answer with, in an API's description.

Declared as ``response=`` they would be a model for each status of each operation: 1,500 that nothing
answers with, for errors are raised, and two thirds of the time in which a server reads its API.
"""

from collections.abc import Collection
from http.client import responses
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE
from ninja.schema import NinjaGenerateJsonSchema
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema


def describe_errors(schema: dict[str, Any], form: type[BaseModel], statuses: Collection[int]) -> None:
    """Add them, in their `form`, to every operation of `schema` that says nothing else of a status."""
    _, definitions = models_json_schema(
        [(form, "serialization")], ref_template=REF_TEMPLATE, schema_generator=NinjaGenerateJsonSchema
    )
    schema["components"]["schemas"].update(definitions["$defs"])
    content = {"application/json": {"schema": {"$ref": REF_TEMPLATE.format(model=form.__name__)}}}
    for operations in schema["paths"].values():
        for operation in operations.values():
            told = operation["responses"]
            for status in statuses:
                told.setdefault(status, {"description": responses[status], "content": content})
            operation["responses"] = dict(sorted(told.items()))
