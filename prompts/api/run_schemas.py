"""What the operations on datasets, runs, comparisons and splits take and give."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body, Paging, Text

from ..evaluating.metrics import MEMBERS
from ..evaluating.runs import MAX_RESULTS
from ..models import EvaluationRun, RunStatus
from ..splits import MAX_ARMS, MAX_SUBJECT
from .label_schemas import Reason
from .values import VersionNumber

ScoreName = Annotated[Text, Field(max_length=64, description="Which score; empty: the main one.")]
_TEST: dict[str, Any] = {
    "test": "mcnemar",
    "n": 120,
    "p": 0.012,
    "estimate": 0.08,
    "ci": [0.02, 0.14],
    "confidence": 0.95,
    "wins": 14,
    "losses": 4,
    "ties": 102,
}


class DatasetIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "support-questions"}]})

    name: Text = Field(description="Without slashes, at most 128 characters.")
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
    key: Text = Field(description="Names the item in evaluations.")
    variables: dict[str, Any] = {}
    placeholders: dict[str, Any] = {}
    expected: Any = Field(None, description="What is to come out: a text or other JSON; null: nothing known.")
    metadata: dict[str, Any] = {}


class DatasetItemsIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [{"key": "q1", "variables": {"question": "2 + 2?"}, "expected": "4"}]}]
        }
    )

    items: list[DatasetItemIn] = Field(min_length=1, max_length=1_000)


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


class RunIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "prompt": "support/triage",
                    "version": 3,
                    "dataset": "support-questions",
                    "model": "gpt-5-mini",
                    "budget": 2.5,
                    "metrics": [
                        {"type": "exact_match", "ignore_case": True},
                        {"type": "judge", "criteria": "Polite, and answers the question.", "weight": 2},
                    ],
                },
                {
                    "prompt": "support/triage",
                    "dataset": "support-questions",
                    "metrics": [{"type": "contains"}],
                },
            ]
        }
    )

    prompt: Text = Field(description="Id or name.")
    version: VersionNumber | None = Field(None, description="Left out: the newest.")
    dataset: Text
    metrics: list[dict[str, Any]] = Field(
        max_length=20, description=f"What judges the outputs; types: {', '.join(MEMBERS)}."
    )
    model: Text = Field("", max_length=255, description="Which model to ask. Empty: you send in the results.")
    parameters: dict[str, Any] = Field({}, description="Of the model, such as temperature.")
    budget: float | None = Field(None, gt=0, le=1_000_000, description="In US dollars.")
    name: Text = Field("", max_length=255)


class RunFilters(Paging):
    prompt: Text | None = Field(None, description="Id or name.")
    dataset: Text | None = None
    status: RunStatus | None = None


class EvaluationRunOut(Schema):
    id: str
    name: str
    prompt: str
    version: int
    dataset: str
    status: str
    model: str
    parameters: dict[str, Any]
    metrics: list[dict[str, Any]]
    total: int = Field(description="Items in all.")
    done: int = Field(description="Items that are worked off.")
    budget: float | None
    cost: float = Field(description="In US dollars, as far as prices are known.")
    problem: str
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_prompt(run: EvaluationRun) -> str:
        return run.prompt.name

    @staticmethod
    def resolve_version(run: EvaluationRun) -> int:
        return run.version.version

    @staticmethod
    def resolve_dataset(run: EvaluationRun) -> str:
        return run.dataset.name


class EvaluationRunPage(Schema):
    items: list[EvaluationRunOut]
    total: int
    limit: int
    offset: int


class ResultIn(Body):
    item: Text = Field(max_length=255, description="Key of an item of the dataset.")
    output: Text = Field("", max_length=1_000_000)
    problem: Text = Field("", max_length=1_000, description="Why there is no output.")
    latency_ms: float | None = Field(None, ge=0, le=1e9)
    cost: float | None = Field(None, ge=0, le=1e6, description="In US dollars.")
    tokens_in: int | None = Field(None, ge=0, le=10**9)
    tokens_out: int | None = Field(None, ge=0, le=10**9)


class ResultsIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"results": [{"item": "q1", "output": "4", "latency_ms": 310}]}]}
    )

    results: list[ResultIn] = Field(min_length=1, max_length=MAX_RESULTS)


class AddedOut(Schema):
    added: int = Field(description="Results that were new.")
    status: str


class ResultOut(Schema):
    item: str
    output: str
    problem: str
    latency_ms: float | None
    cost: float | None
    tokens_in: int | None
    tokens_out: int | None
    scores: dict[str, float] = Field(description="By metric; the empty name is the main score.")


class ResultPage(Schema):
    items: list[ResultOut]
    total: int
    limit: int
    offset: int


class ComparisonQuery(Schema):
    from_: VersionNumber = Field(alias="from")
    to: VersionNumber
    name: ScoreName = ""
    confidence: float = Field(0.95, ge=0.5, le=0.9999)


class ItemDifference(Schema):
    model_config = ConfigDict(populate_by_name=True)

    item: str
    from_: float = Field(alias="from")
    to: float


class ComparisonOut(Schema):
    model_config = ConfigDict(populate_by_name=True)

    from_: int = Field(alias="from")
    to: int
    name: str
    test: dict[str, Any] | None = Field(examples=[_TEST])
    items: list[ItemDifference] = Field(description="Those that differ most, the worst first.")
    only_from: int = Field(description="Items that only the first version was evaluated on.")
    only_to: int


class ScoresQuery(Schema):
    name: ScoreName = ""


class VersionScores(Schema):
    version: int
    n: int
    mean: float
    ci: list[float] | None = Field(description="95 % interval of the mean; null of one evaluation.")


class ScoresOut(Schema):
    items: list[VersionScores]


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
