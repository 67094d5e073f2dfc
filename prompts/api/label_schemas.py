"""What the operations on labels take and give."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import OneOf, Text
from vectors.schemas import Body, Paging

from ..labels import MAX_REASON
from ..models import Evidence
from .values import LabelFilter, ScoreName, VersionNumber

Reason = Annotated[Text, Field(max_length=MAX_REASON)]
_FIGURES: dict[str, Any] = {"test": "mcnemar", "n": 120, "p": 0.012, "estimate": 0.08, "ci": [0.02, 0.14]}


class LabelsOut(Schema):
    labels: dict[str, int] = Field(examples=[{"latest": 7, "production": 5}])


class MoveIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2, "reason": "Shorter answers"}]})

    version: VersionNumber
    reason: Reason = Field("", description="Why; it is kept in the log.")


class UndoIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "More complaints since"}]})

    reason: Reason = ""


class ReasonQuery(Schema):
    reason: Reason = ""


class MovedOut(Schema):
    label: str
    moved: bool = Field(description="False where it served that version already.")
    version: int | None = Field(description="What it serves now; null where it was taken off.")
    from_version: int | None
    evidence: dict[str, Any] | None = Field(examples=[_FIGURES])


class EvidenceQuery(Schema):
    version: VersionNumber


class EvidenceOut(Schema):
    allowed: bool
    required: str = Field(description="What the label's policy asks for: " + ", ".join(Evidence.values) + ".")
    reason: str = Field(description="What is missing; empty where it is allowed.")
    evidence: dict[str, Any] | None = Field(examples=[_FIGURES])


class MoveFilters(Paging):
    label: LabelFilter | None = None


class MoveOut(Schema):
    id: int
    label: str
    from_version: int | None
    to_version: int | None = Field(description="Null: it was taken off.")
    actor: str = Field(description="The user's name as it was then; empty: a command.")
    reason: str
    evidence: dict[str, Any] | None
    undoes: int | None = Field(description="The move that this one took back.")
    created_at: datetime

    @staticmethod
    def resolve_actor(move: Any) -> str:
        return str(move.actor_name)

    @staticmethod
    def resolve_undoes(move: Any) -> int | None:
        undone: int | None = move.undoes_id
        return undone


class MovePage(Schema):
    items: list[MoveOut]
    total: int
    limit: int
    offset: int


class PolicyIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"is_protected": True, "evidence": "better", "minimum_items": 50},
                {"evidence": "none"},
            ]
        }
    )

    is_protected: bool = False
    evidence: Annotated[Text, OneOf(Evidence.values)] = Evidence.NONE.value
    score_name: ScoreName = ""
    minimum_items: int = Field(30, ge=1, le=2**31 - 1)
    threshold: float | None = Field(None, ge=0, le=1, description="Of the evidence threshold.")
    confidence: float = Field(0.95, ge=0.5, le=0.9999)
    margin: float = Field(0.0, ge=0, le=1, description="Of the evidence not_worse.")


class PolicyOut(Schema):
    name: str
    is_protected: bool
    evidence: str
    score_name: str
    minimum_items: int
    threshold: float | None
    confidence: float
    margin: float


class LabelOut(Schema):
    name: str
    prompts: int = Field(description="How many prompts have it.")
    policy: PolicyOut | None


class LabelPage(Schema):
    items: list[LabelOut]
    total: int
    limit: int
    offset: int
