"""Bodies and answers of the API of environments."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from prompts.api.values import NameFilter
from prompts.saving import MAX_MESSAGE
from vectors.api_values import Text, declared
from vectors.schemas import Body

from .environments.base import MAX_REASON

EnvironmentName = Annotated[Text, Field(max_length=63)]


class EnvironmentOut(Schema):
    name: str
    address: str = Field(description="File or URL, without any secret.")
    is_current: bool
    is_protected: bool
    frozen: str = Field(description="Why writes are blocked; empty where they are not.")
    parent: str = Field(description="What it is a copy of; empty where it was made by itself.")
    created_at: datetime | None
    size: int | None = Field(description="Bytes.")


class EnvironmentList(Schema):
    items: list[EnvironmentOut]


class EnvironmentIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "feature-x", "source": "prod"}, {"name": "empty"}]}
    )

    name: EnvironmentName = Field(
        description="1 to 63 lower-case letters, digits and hyphens, a letter first."
    )
    source: EnvironmentName = Field("", description="Copy this environment; without it the new one is empty.")


class FreezeIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Moving to a new server until 5 pm"}]}
    )

    reason: Annotated[Text, declared(minLength=1, maxLength=MAX_REASON)] = Field(
        description="What whoever tries to write is told."
    )


class DiffFilters(Schema):
    prompt: list[NameFilter] | None = Field(
        None,
        max_length=500,
        description="Only the prompts of these names, given once for each; all if left out.",
    )
    full: bool = Field(False, description="Add `details`: contents as diffs, other fields side by side.")


class ComparedPrompt(Schema):
    id: str
    name: str
    title: str
    versions: int = Field(description="How many it has.")


class ComparedVersion(Schema):
    version: int
    id: str
    content_hash: str = Field(description="SHA-256 of the content.")


class CommonVersion(Schema):
    left: int
    right: int


class PromptDifference(Schema):
    left: ComparedPrompt
    right: ComparedPrompt
    differing: list[str] = Field(
        description="What is not the same now; empty where only the histories differ.",
        examples=[["content", "title"]],
    )
    only_left: list[ComparedVersion] = Field(description="Versions that the right one has not.")
    only_right: list[ComparedVersion] = Field(description="Versions that the left one has not.")
    common: CommonVersion | None = Field(
        description="The numbers of the newest version that both have; null where they were made apart."
    )


class FieldDifference(Schema):
    left: Any
    right: Any


class PromptDetail(Schema):
    name: str
    fields: dict[str, FieldDifference] = Field(
        description="What differs beside the content, of a prompt that both have.",
        examples=[{"title": {"left": "Greeting", "right": "Greetings"}}],
    )
    unified: str = Field(description="The contents as a unified diff; empty where they are the same.")


class EnvironmentDiff(Schema):
    left: str
    right: str
    only_left: list[ComparedPrompt]
    only_right: list[ComparedPrompt]
    differing: list[PromptDifference]
    same: int = Field(description="Prompts that are alike on both sides, histories included.")
    details: list[PromptDetail] | None = Field(None, description="With `full`, of each prompt that differs.")


class MergeIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"source": "feature-x", "dry_run": True},
                {"source": "feature-x", "prompts": ["support/greeting"], "message": "Ticket 42"},
            ]
        }
    )

    source: EnvironmentName = Field(
        description="The environment whose prompts are brought over; it stays as it is."
    )
    prompts: list[NameFilter] | None = Field(
        None, max_length=10_000, description="The names of prompts; all if left out."
    )
    resolve: Literal["ours", "theirs"] | None = Field(
        None, description="Who wins each conflict: ours is the target, theirs the source. Null: nobody."
    )
    dry_run: bool = Field(False, description="Only say what would be written, and which conflicts there are.")
    message: Text = Field("", max_length=MAX_MESSAGE, description="Added to the message of merged versions.")


class MergedPromptOut(Schema):
    id: str = Field(description="In the target.")
    name: str
    action: Literal["created", "fast_forwarded", "merged"]
    versions: int = Field(description="How many were added.")


class MergeConflictOut(Schema):
    prompt: str
    field: str = Field(examples=["content", "metadata.model"])
    text: str = Field(
        description="Both sides as git shows them: ours is the target, theirs the source.",
        examples=[
            "<<<<<<< ours, line 1\nHello\n||||||| base, line 1\nHi\n=======\nDear\n>>>>>>> theirs, line 1\n"
        ],
    )


class MergeOut(Schema):
    source: str
    target: str
    prompts: list[MergedPromptOut] = Field(description="What was written, or with `dry_run` would be.")
    unchanged: int = Field(description="Prompts of which the source had nothing new.")
    conflicts: list[MergeConflictOut] = Field(description="Only with `dry_run`: what would be refused.")
    dry_run: bool


class ConflictProblem(MergeConflictOut):
    msg: str = Field(examples=["support/greeting: content cannot be merged."])


class MergeConflictsOut(Schema):
    """The conflicts that kept a merge from being written, or what else is in its way."""

    detail: list[ConflictProblem] | str
