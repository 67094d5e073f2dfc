"""What the operations on split labels take and give."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import Text
from vectors.schemas import Body

from ..splits import MAX_ARMS, MAX_SUBJECT
from .label_schemas import Reason
from .values import VersionNumber


class ArmIn(Body):
    version: VersionNumber
    weight: int = Field(ge=1, le=1_000_000)


class SplitIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"arms": [{"version": 3, "weight": 90}, {"version": 4, "weight": 10}], "reason": "Shorter"}
            ]
        }
    )

    arms: list[ArmIn] = Field(
        min_length=2, max_length=MAX_ARMS, description="The first is the control: what the label serves now."
    )
    alpha: float = Field(0.05, ge=0.0001, le=0.5, description="How often it may err.")
    reason: Reason = ""


class ArmOut(Schema):
    version: int
    weight: int
    exposures: int = Field(description="Subjects that were served it.")
    outcomes: int = Field(description="Of these, subjects whose outcome is known.")
    successes: float
    rate: float | None
    versus_control: dict[str, Any] | None = Field(description="The sequential test against the first arm.")
    fisher_p: float | None = Field(description="Exact, of a single look; only where outcomes are 0 or 1.")


class SplitOut(Schema):
    id: str
    label: str
    alpha: float
    is_running: bool
    started_at: datetime
    ended_at: datetime | None
    arms: list[ArmOut]
    test: str
    p: float = Field(description="Valid however often you look.")
    e_value: float
    stop: bool = Field(description="The arms differ: you may stop.")
    winner: int | None = Field(description="The version with the best rate, once it says stop.")
    sample_ratio_p: float = Field(description="Whether subjects fit the weights; small: something is wrong.")


class OutcomeIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": "user-17", "value": 1}]})

    subject: Text = Field(min_length=1, max_length=MAX_SUBJECT)
    value: float = Field(ge=0, le=1, description="0 (failed) to 1 (did what it should).")


class OutcomeOut(Schema):
    version: int = Field(description="What the subject was served.")
    outcome: float
