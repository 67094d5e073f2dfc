"""What Langfuse's scores API takes and gives."""

import math
import sys
from typing import Annotated, Any, Self

from django.core.exceptions import ValidationError
from ninja import Field, Schema
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from vectors.api_values import Text, declared, free_json

from ..models import TraceScore
from ..validators import validate_metadata
from .schemas import MetaOut, Moment, PageQuery

DataType = TraceScore.DataType
MAX_BATCH = 10_000  # scores or events of a request
MAX_TEXT = 10_000  # characters of a comment or of a value that is a text
Id = Annotated[Text, Field(max_length=255)]
Texts = Annotated[Text, Field(max_length=30_000, description="Several: with commas.")]
_Number = Annotated[float, declared(minimum=-sys.float_info.max, maximum=sys.float_info.max)]
_TEXTUAL = (DataType.CATEGORICAL, DataType.TEXT, DataType.CORRECTION)


def _metadata(value: Any) -> Any:
    """An object; anything else becomes a member of one, as at Langfuse."""
    found = {} if value is None else value if isinstance(value, dict) else {"metadata": value}
    try:
        validate_metadata(found)
    except ValidationError as error:
        raise PydanticCustomError("metadata", "{text}", {"text": error.messages[0].rstrip(".")}) from error
    return found


def _value(value: Any) -> Any:
    """A finite number or a text; a boolean is 0 or 1."""
    if isinstance(value, bool | int):
        try:
            return float(value)
        except OverflowError:
            value = math.inf
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PydanticCustomError("value", "Expected a finite number")
    elif not isinstance(value, str):
        got = "nothing" if value is None else type(value).__name__
        raise PydanticCustomError("value", "Expected a number or a text, got {got}", {"got": got})
    return value


class ScoreIn(BaseModel):
    """Unknown members are ignored, as Langfuse's server does."""

    model_config = ConfigDict(populate_by_name=True)

    id: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    name: Text = Field(min_length=1, max_length=255)
    value: Annotated[_Number | Annotated[Text, Field(max_length=MAX_TEXT)], BeforeValidator(_value)]
    data_type: DataType | None = Field(None, alias="dataType", description="Left out: by the value.")
    trace_id: Id | None = Field(None, alias="traceId")
    observation_id: Id | None = Field(None, alias="observationId")
    session_id: Id | None = Field(None, alias="sessionId")
    dataset_run_id: Id | None = Field(None, alias="datasetRunId")
    comment: Annotated[Text, Field(max_length=MAX_TEXT)] | None = None
    config_id: Id | None = Field(None, alias="configId")
    environment: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")] | None = None
    metadata: Annotated[dict[str, Any], free_json(), BeforeValidator(_metadata)] = {}
    timestamp: Moment | None = None

    @property
    def kind(self) -> DataType:
        return self.data_type or (DataType.CATEGORICAL if isinstance(self.value, str) else DataType.NUMERIC)

    @model_validator(mode="after")
    def _fit(self) -> Self:
        """The type and the value, and what it is a score of."""
        is_text = isinstance(self.value, str)
        if is_text != (self.kind in _TEXTUAL):
            wanted = "a text" if self.kind in _TEXTUAL else "a number"
            raise PydanticCustomError(
                "value",
                "Expected {wanted} as value of the type {kind}",
                {"wanted": wanted, "kind": self.kind},
            )
        if self.value == "":
            raise PydanticCustomError("value", "Expected some text as value, got none")
        if self.kind == DataType.BOOLEAN and self.value not in (0.0, 1.0):
            raise PydanticCustomError("value", "Expected 0 or 1 as value of the type BOOLEAN")
        if not (self.trace_id or self.session_id or self.dataset_run_id):
            raise PydanticCustomError("subject", "Expected a traceId, sessionId or datasetRunId, got none")
        if self.observation_id and not self.trace_id:
            raise PydanticCustomError("subject", "Expected the traceId of the observation, got none")
        return self


def _in_place(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what it refers to in its place: as part of another it has no definitions of its own."""
    known = schema.pop("$defs", {})

    def place(node: Any) -> Any:
        if isinstance(node, list):
            return [place(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return place(known[node["$ref"].rpartition("/")[2]])
        return {name: place(one) for name, one in node.items()}

    return {name: place(one) for name, one in schema.items()}


# Each score is judged for itself, so that one that is wrong does not keep out the others.
_SCORE = _in_place(ScoreIn.model_json_schema())
ScoresIn = Annotated[
    dict[str, Any] | list[Any],
    WithJsonSchema(
        {
            "anyOf": [_SCORE, {"type": "array", "items": _SCORE, "maxItems": MAX_BATCH}],
            "examples": [{"traceId": "trace-1", "name": "quality", "value": 0.9, "dataType": "NUMERIC"}],
        }
    ),
]
# Events that are no scores are counted and dropped, whatever is in them.
BatchIn = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "batch": {"type": "array", "items": {"type": "object"}, "maxItems": MAX_BATCH},
            },
            "required": ["batch"],
            "examples": [
                {
                    "batch": [
                        {
                            "id": "event-1",
                            "type": "score-create",
                            "timestamp": "2026-05-01T09:30:00Z",
                            "body": {"traceId": "trace-1", "name": "quality", "value": 0.9},
                        }
                    ]
                }
            ],
        }
    ),
]


class ScoresQuery(PageQuery):
    name: Id | None = None
    trace_id: Id | None = Field(None, alias="traceId")
    observation_id: Texts | None = Field(None, alias="observationId")
    session_id: Id | None = Field(None, alias="sessionId")
    dataset_run_id: Id | None = Field(None, alias="datasetRunId")
    data_type: DataType | None = Field(None, alias="dataType")
    config_id: Id | None = Field(None, alias="configId")
    environment: list[Annotated[Text, Field(max_length=64)]] = Field([], max_length=100)
    score_ids: Texts | None = Field(None, alias="scoreIds")
    from_timestamp: Moment | None = Field(None, alias="fromTimestamp")
    to_timestamp: Moment | None = Field(None, alias="toTimestamp")


class ScoresV3Query(Schema):
    limit: int = Field(50, ge=1, le=100)
    cursor: Text | None = Field(None, max_length=1_000)
    fields: Text = Field(
        "", max_length=1_000, description="details, subject, annotation; several with commas."
    )
    id: Texts | None = None
    name: Texts | None = None
    data_type: Texts | None = Field(None, alias="dataType")
    environment: Texts | None = None
    config_id: Texts | None = Field(None, alias="configId")
    trace_id: Texts | None = Field(None, alias="traceId")
    observation_id: Texts | None = Field(None, alias="observationId")
    session_id: Texts | None = Field(None, alias="sessionId")
    from_timestamp: Moment | None = Field(None, alias="fromTimestamp")
    to_timestamp: Moment | None = Field(None, alias="toTimestamp")


class ScoreOut(Schema):
    id: str
    traceId: str | None
    observationId: str | None
    sessionId: str | None
    datasetRunId: str | None
    name: str
    value: float | str | None = Field(description="Of /v2/scores always a number: 0 of a text.")
    stringValue: str | None
    dataType: str
    source: str
    comment: str | None
    metadata: dict[str, Any]
    configId: str | None
    environment: str
    authorUserId: str | None
    queueId: str | None
    timestamp: str
    createdAt: str
    updatedAt: str
    projectId: str


class ScoreListOut(Schema):
    data: list[ScoreOut]
    meta: MetaOut


class CursorOut(Schema):
    limit: int
    cursor: str | None = None


class ScoreListV3Out(Schema):
    data: list[dict[str, Any]]
    meta: CursorOut


class ScoreIdOut(Schema):
    id: str


class AcceptedOut(Schema):
    message: str
    accepted: int
    rejected: int


class RejectedOut(Schema):
    message: str


class ResultsOut(Schema):
    accepted: int
    rejected: int
    errors: list[RejectedOut]


class SuccessOut(Schema):
    id: str
    status: int


class FailureOut(Schema):
    id: str
    status: int
    message: str
    error: str


class IngestedOut(Schema):
    successes: list[SuccessOut]
    errors: list[FailureOut]


class MessageOut(Schema):
    message: str
