"""What the API of jobs takes and gives."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema

from vectors.api_values import OneOf, Text
from vectors.schemas import Paging

from .models import MAX_KIND, JobState

JobKind = Annotated[Text, Field(max_length=MAX_KIND)]


class JobFilters(Paging):
    kind: JobKind | None = Field(None, description="Such as rebuild_index.")
    state: Annotated[Text, OneOf(tuple(JobState.values))] | None = None


class JobOut(Schema):
    id: str
    kind: str = Field(examples=["rebuild_index"])
    arguments: dict[str, Any] = Field(examples=[{"collection": "prompts"}])
    state: str = Field(description=", ".join(JobState.values) + ".")
    done: int = Field(description="Steps that are done, in this attempt.")
    total: int | None = Field(description="Out of how many; null where nobody knows.")
    message: str = Field(examples=["rows coded"])
    attempts: int
    max_attempts: int
    cause: str = Field(description="Why the last attempt failed.")
    result: dict[str, Any] | None
    actor_name: str = Field(description="Who started it; empty where nobody did.")
    slot: str = Field(description="The schedule and the moment that started it, where one did.")
    created_at: datetime
    not_before: datetime
    started_at: datetime | None = Field(description="The last attempt.")
    finished_at: datetime | None
    cancel_requested_at: datetime | None = Field(description="It ends at its next sign of progress.")


class JobPage(Schema):
    items: list[JobOut]
    total: int
    limit: int
    offset: int
