"""What the operations on prompts take and give. The models judge values; here stand types and examples."""

from datetime import datetime
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body, Paging, Text

from ..models import LATEST, Kind, Status, TemplateFormat
from .values import (
    HASH,
    Changes,
    Chat,
    Content,
    Labels,
    MessageText,
    Moment,
    NameText,
    ShownContent,
    Tags,
    Variables,
    VersionNumber,
    WordText,
)

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


class PromptIn(Changes):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLE,
                {
                    "name": "support/triage",
                    "title": "Triage",
                    "content": [
                        {"role": "system", "content": "Answer in a {{tone}} tone."},
                        {"type": "placeholder", "name": "history"},
                        {"role": "user", "content": "{{question}}"},
                    ],
                    "variables": {
                        "tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}
                    },
                    "config": {"model": "gpt-5-mini", "temperature": 0.2},
                    "labels": ["production"],
                },
            ]
        }
    )

    name: NameText = Field(description="Unique; slashes make folders.")
    title: NameText
    content: Content
    status: WordText = Field(Status.DRAFT.value, description=", ".join(Status.values) + ".")
    language: WordText = Field("", description="Language code, such as en or ja.")
    tags: Tags = []
    metadata: dict[str, Any] = {}
    template_format: WordText = Field("simple", description=", ".join(TemplateFormat.values) + ".")
    variables: Variables = {}
    config: dict[str, Any] = Field({}, description="What the application keeps with a version.")
    labels: Labels = []
    message: MessageText = Field("", description="What is new in this version, and why.")

    def values(self) -> dict[str, Any]:
        kind = Kind.CHAT if isinstance(self.content, Chat) else Kind.TEXT
        values = self.model_dump(exclude={"message", "labels"})
        content = values["content"][0] if kind == Kind.CHAT else values["content"]
        return {**values, "content": content, "type": kind}


class PromptPatch(Changes):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content": "Rewrite {{resume}}.", "message": "Shorter"}]}
    )

    name: NameText = ""
    title: NameText = ""
    content: Content = Field("", description="New content makes a new version, identical content none.")
    status: WordText = ""
    language: WordText = ""
    tags: Tags = []
    metadata: dict[str, Any] = Field({}, description="Replaces the whole object.")
    template_format: WordText = ""
    variables: Variables = {}
    config: dict[str, Any] = Field({}, description="Replaces the whole object.")
    labels: Labels = []
    base_version: VersionNumber | None = Field(
        None, description="The newest version that you know; 409 where there is another."
    )
    message: MessageText = Field(
        "", description="Belongs to the new version; without new content it is not kept."
    )


class PromptSummary(Schema):
    id: str
    name: str
    folder: str
    title: str
    type: str
    version: int
    status: str
    language: str
    tags: list[str]
    metadata: dict[str, Any]
    labels: dict[str, int] = Field(
        description="Versions by label.", examples=[{"latest": 7, "production": 5}]
    )
    author: str
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_author(prompt: Any) -> str:
        return prompt["author"] if isinstance(prompt, dict) else prompt.user.username

    @staticmethod
    def resolve_labels(prompt: Any) -> dict[str, int]:
        if isinstance(prompt, dict):
            return prompt["labels"]
        return {
            LATEST: prompt.version,
            **{label.name: label.version.version for label in prompt.labels.all()},
        }


class PromptOut(PromptSummary):
    """A version of a prompt; ``content`` is composed unless `resolve=false`."""

    latest_version: int
    content: ShownContent
    template_format: str
    variables: dict[str, Any] = Field(description="All variables, with what is declared or inferred of them.")
    placeholders: list[str]
    config: dict[str, Any]
    message: str
    content_hash: str | None = Field(description=HASH)
    version_created_at: datetime
    graph: dict[str, Any] | None = Field(description="What it includes, in the form of Langfuse.")


class Which(Schema):
    version: VersionNumber | None = None
    label: Text | None = None
    at: Moment | None = Field(None, description="What the label (or `latest`) served at that time.")
    subject: Text = Field("", max_length=1_000, description="Who it is for, where the label is split.")
    resolve: bool = Field(True, description="Put what it includes in its place.")


class PromptPage(Schema):
    items: list[PromptSummary]
    total: int
    limit: int
    offset: int


class PromptFilters(Paging):
    status: Status | None = None
    type: Kind | None = None
    label: Text | None = Field(None, description="With a version that this label serves.")
    tag: Text | None = Field(None, description="Exactly this tag.")
    language: Text | None = None
    folder: Text | None = Field(None, description="In this folder or below it.")
    prefix: Text | None = Field(None, description="The name begins with it.")


class BundleQuery(Schema):
    label: Text
    folder: Text = Field("", description="In this folder or below it.")
    tag: Text = ""


class BundleProblem(Schema):
    name: str
    msg: str


class BundleOut(Schema):
    label: str
    folder: str
    tag: str
    prompts: list[PromptOut] = Field(description="By name.")
    problems: list[BundleProblem] = Field(description="Prompts that cannot be served, and why.")


class RenderIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"variables": {"role": "Engineer", "resume": "…"}, "label": "latest"}]
        }
    )

    version: VersionNumber | None = None
    label: Text | None = None
    at: Moment | None = Field(None, strict=False)
    subject: Text = Field("", max_length=1_000, description="Who it is for, where the label is split.")
    variables: dict[str, Any] = {}
    placeholders: dict[str, Any] = Field({}, description="Messages by the name of the placeholder.")
    allow_partial: bool = False


class RenderOut(Schema):
    id: str
    name: str
    version: int
    labels: list[str]
    type: str
    content: ShownContent
    config: dict[str, Any]
    missing: list[str] = Field(description="Variables and placeholders that were left as they were.")
