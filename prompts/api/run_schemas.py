"""What the operations on evaluation runs and their results take and give."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import Text, declared, free_json
from vectors.schemas import Body, Paging

from ..evaluating.completions import PARAMETERS
from ..evaluating.metrics import MAX_METRICS, MEMBERS
from ..evaluating.runs import MAX_OUTPUT, MAX_RESULTS
from ..models import EvaluationRun, RunStatus
from .values import DatasetName, ItemText, NameFilter, VersionNumber


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

    prompt: NameFilter = Field(description="Id or name.")
    version: VersionNumber | None = Field(None, description="Left out: the newest.")
    dataset: DatasetName
    metrics: list[Annotated[dict[str, Any], free_json()]] = Field(
        max_length=MAX_METRICS, description=f"What judges the outputs; types: {', '.join(MEMBERS)}."
    )
    model: Text = Field("", max_length=255, description="Which model to ask. Empty: you send in the results.")
    parameters: Annotated[dict[str, Any], declared(maxProperties=len(PARAMETERS))] = Field(
        {}, description="Of the model, such as temperature."
    )
    budget: float | None = Field(None, gt=0, le=1_000_000, description="In US dollars.")
    name: Text = Field("", max_length=255)


class RunFilters(Paging):
    prompt: NameFilter | None = Field(None, description="Id or name.")
    dataset: DatasetName | None = None
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
    item: ItemText = Field(description="Key of an item of the dataset.")
    output: Text = Field("", max_length=MAX_OUTPUT)
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
