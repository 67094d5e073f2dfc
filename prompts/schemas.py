"""What the prompt API takes and gives. The models judge values; here stand types, names and examples."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body, Paging, Text

from .models import Evaluation, Prompt, PromptVersion, Status

_EXAMPLE: dict[str, Any] = {
    "name": "writing/resume-rewriter",
    "title": "Resume rewriter",
    "content": "Rewrite this resume for the role of {{role}}:\n{{resume}}",
    "status": "active",
    "language": "en",
    "tags": ["writing", "career"],
    "metadata": {"team": "growth"},
    "message": "First draft",
}
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class PromptIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Text = Field(description="Unique; slashes make folders.")
    title: Text
    content: Text
    status: Text = Field(Status.DRAFT.value, description=", ".join(Status.values) + ".")
    language: Text = Field("", description="Language code, such as en or ja.")
    tags: list[Text] = []
    metadata: dict[str, Any] = {}
    message: Text = Field("", description="What is new in this version, and why.")


class PromptPatch(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content": "Rewrite {{resume}}.", "message": "Shorter"}]}
    )

    name: Text = ""
    title: Text = ""
    content: Text = Field("", description="New content makes a new version, identical content none.")
    status: Text = ""
    language: Text = ""
    tags: list[Text] = []
    metadata: dict[str, Any] = Field({}, description="Replaces the whole object.")
    message: Text = Field("", description="Belongs to the new version; without new content it is not kept.")


class PromptSummary(Schema):
    id: str
    name: str
    folder: str
    title: str
    version: int
    status: str
    language: str
    tags: list[str]
    metadata: dict[str, Any]
    author: str
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_author(prompt: Prompt) -> str:
        return prompt.user.username


class PromptOut(PromptSummary):
    content: str


class PromptPage(Schema):
    items: list[PromptSummary]
    total: int
    limit: int
    offset: int


class PromptFilters(Paging):
    status: Status | None = None
    tag: Text | None = Field(None, description="Exactly this tag.")
    language: Text | None = None
    folder: Text | None = Field(None, description="In this folder or below it.")
    prefix: Text | None = Field(None, description="The name begins with it.")


class VersionSummary(Schema):
    version: int
    parent: int | None = Field(description="The version it was made from.")
    content_hash: str = Field(description="SHA-256 of the content.")
    author: str | None
    message: str
    created_at: datetime

    @staticmethod
    def resolve_parent(version: PromptVersion) -> int | None:
        return version.parent.version if version.parent else None

    @staticmethod
    def resolve_author(version: PromptVersion) -> str | None:
        return version.author.username if version.author else None


class VersionOut(VersionSummary):
    content: str


class VersionPage(Schema):
    items: list[VersionSummary]
    total: int
    limit: int
    offset: int


class DiffQuery(Schema):
    from_: VersionNumber = Field(alias="from")
    to: VersionNumber


class DiffOut(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": 1,
                    "to": 2,
                    "added": 1,
                    "removed": 1,
                    "complete": True,
                    "unified": "--- v1\n+++ v2\n@@ -1,1 +1,1 @@\n-Hello\n+Hello {{name}}\n",
                }
            ]
        }
    )

    from_: int = Field(alias="from")
    to: int
    added: int
    removed: int
    complete: bool = Field(description="False where texts were too long or repetitive for the least diff.")
    unified: str = Field(description="Empty where nothing differs.")


class EvaluationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": 0.92, "metrics": {"accuracy": 0.95, "latency_ms": 840}}]}
    )

    score: float = Field(description="From 0 (worst) to 1 (best).")
    metrics: dict[str, Any] = {}
    version: VersionNumber | None = Field(None, description="Left out: the current one.")


class EvaluationOut(Schema):
    id: str
    version: int | None
    score: float
    metrics: dict[str, Any]
    created_at: datetime

    @staticmethod
    def resolve_version(evaluation: Evaluation) -> int | None:
        return evaluation.version.version if evaluation.version else None


class EvaluationPage(Schema):
    items: list[EvaluationOut]
    total: int
    limit: int
    offset: int


class PromptSearchQuery(Schema):
    q: str = Field(description="What you look for, in your own words.", examples=["make my CV sound better"])
    k: int = Field(10, description="1 to 1,000 results.")
    mode: str = Field("hybrid", description="hybrid, semantic or keyword.")
    status: str | None = Field(None, description=", ".join(Status.values) + ".")
    tag: str | None = None
    language: str | None = None
    folder: str | None = Field(None, description="In this folder or below it.")


class PromptHitOut(Schema):
    id: str
    name: str
    title: str
    status: str
    language: str
    version: int
    tags: list[str]
    snippet: str
    content: str
    distance: float | None = Field(description="0 is nearest; null where only words were compared.")
    score: float
    ranks: dict[str, int | None] = Field(examples=[{"keyword": 1, "semantic": 2}])


class PromptSearchOut(Schema):
    query: str
    mode: str
    k: int
    took_ms: float
    results: list[PromptHitOut]
    plan: dict[str, Any] = Field(
        description="How the results were found.",
        examples=[
            {
                "strategy": "exact",
                "scanned": 120,
                "probes": 0,
                "reranked": 0,
                "exhaustive": True,
                "filtered_out": 0,
                "ms": 1.2,
            }
        ],
    )
