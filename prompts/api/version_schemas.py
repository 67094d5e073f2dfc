"""What the operations on versions and their differences take and give."""

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import JsonObject
from vectors.schemas import Body

from ..models import LATEST, Kind, PromptVersion
from ..rendering.errors import TemplateProblem
from .values import (
    HASH,
    Changes,
    Content,
    Labels,
    MessageText,
    ShownContent,
    TemplateFormatName,
    Variables,
    VersionNumber,
)


class VersionIn(Changes):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"content": "Rewrite {{resume}}.", "labels": ["staging"], "message": "Shorter"}]
        }
    )

    content: Content = ""
    template_format: TemplateFormatName = ""
    variables: Variables = {}
    config: JsonObject = {}
    labels: Labels = []
    base_version: VersionNumber | None = Field(
        None, description="The newest version that you know; 409 where there is another."
    )
    if_identical: Literal["reuse", "refuse"] = "reuse"
    message: MessageText = Field("", description="What is new in this version, and why.")


class RestoreIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "The shorter one was worse"}]})

    message: MessageText = ""


class VersionSummary(Schema):
    version: int
    parent: int | None = Field(description="The version it was made from.")
    content_hash: str = Field(description=HASH)
    author: str | None
    message: str
    template_format: str
    labels: list[str] = Field(description="Labels that serve it now.")
    created_at: datetime

    @staticmethod
    def resolve_labels(version: PromptVersion) -> list[str]:
        names = [label.name for label in version.labels.all()]
        return sorted([*names, LATEST] if version.version == version.prompt.version else names)

    @staticmethod
    def resolve_parent(version: PromptVersion) -> int | None:
        return version.parent.version if version.parent else None

    @staticmethod
    def resolve_author(version: PromptVersion) -> str | None:
        return version.author.username if version.author else None


class VersionOut(VersionSummary):
    content: ShownContent
    variables: dict[str, Any] = Field(description="As they were declared.")
    config: dict[str, Any]

    @staticmethod
    def resolve_content(version: PromptVersion) -> Any:
        template = version.template_of(version.prompt.type)
        try:
            return template.messages if template.type == Kind.CHAT else version.content
        except TemplateProblem:  # written with plain SQL
            return version.content


class VersionPage(Schema):
    items: list[VersionSummary]
    total: int
    limit: int
    offset: int


class DiffQuery(Schema):
    from_: VersionNumber = Field(alias="from")
    to: VersionNumber
    words: bool = Field(False, description="Give the rows, with the words that changed in them.")


class SpanOut(Schema):
    kind: str = Field(description="equal, insert or delete.")
    text: str


class RowOut(Schema):
    old_number: int | None = Field(description="Of the line, from 1; null where there is none.")
    new_number: int | None
    old: list[SpanOut]
    new: list[SpanOut]


class ChangeOut(Schema):
    model_config = ConfigDict(populate_by_name=True)

    field: str = Field(examples=["config.temperature"])
    from_: Any = Field(alias="from")
    to: Any


class BlameQuery(Schema):
    version: VersionNumber | None = Field(None, description="Left out: the newest.")


class BlameLine(Schema):
    number: int
    text: str
    version: int = Field(description="The version that brought the line.")
    author: str | None
    message: str
    created_at: datetime


class BlameOut(Schema):
    version: int
    lines: list[BlameLine]
    is_complete: bool = Field(description="False where the history is too long or too repetitive.")


class DependantOut(Schema):
    name: str
    version: int
    is_latest: bool
    labels: list[str] = Field(description="Labels that serve that version now.")
    label: str | None = Field(description="By which label it includes this prompt.")
    referenced_version: int | None


class DependantPage(Schema):
    items: list[DependantOut]
    total: int
    limit: int
    offset: int


class GraphOut(Schema):
    graph: dict[str, Any] | None = Field(description="Null where nothing is included.")


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
                    "changes": [{"field": "config.temperature", "from": 0.7, "to": 0.2}],
                    "rows": None,
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
    changes: list[ChangeOut] = Field(description="Of config, variables and template format.")
    rows: list[RowOut] | None = Field(description="With `words=true`: all lines, side by side.")
