"""What the operations on prompts take and give. The models judge values; here stand types and examples."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import JsonObject, OneOf, Text
from vectors.schemas import Body, Paging

from ..models import LATEST, Kind, Status
from .values import (
    HASH,
    Changes,
    Chat,
    Content,
    LabelFilter,
    Labels,
    LabelText,
    LanguageFilter,
    LanguageText,
    MessageText,
    Moment,
    NameFilter,
    NameText,
    ShownContent,
    TagFilter,
    Tags,
    TemplateFormatName,
    UserName,
    Variables,
    VersionNumber,
)

_Status = Annotated[Text, OneOf(Status.values)]
MAX_VALUES = 10_000  # of a request to render
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
    status: _Status = Status.DRAFT.value
    language: LanguageText = Field("", description="Language code, such as en or ja.")
    tags: Tags = []
    metadata: JsonObject = Field({}, description="At most 64 KB and 8 levels.")
    template_format: TemplateFormatName = "simple"
    variables: Variables = {}
    config: JsonObject = Field(
        {}, description="What the application keeps with a version; at most 64 KB and 8 levels."
    )
    labels: Labels = []
    message: MessageText = Field("", description="What is new in this version, and why.")

    def values(self) -> dict[str, Any]:
        kind = Kind.CHAT if isinstance(self.content, Chat) else Kind.TEXT
        values = self.model_dump(exclude={"message", "labels"})
        content = values["content"][0] if kind == Kind.CHAT else values["content"]
        return {**values, "content": content, "type": kind}


class PromptPatch(Changes):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"content": "Rewrite {{resume}}.", "message": "Shorter"}, {"owner": "chika"}]
        }
    )

    name: NameText = ""
    title: NameText = ""
    content: Content = Field("", description="New content makes a new version, identical content none.")
    status: _Status = ""
    language: LanguageText = ""
    tags: Tags = []
    metadata: JsonObject = Field({}, description="Replaces the whole object.")
    template_format: TemplateFormatName = ""
    variables: Variables = {}
    config: JsonObject = Field({}, description="Replaces the whole object.")
    labels: Labels = []
    owner: UserName = Field("", description="Hand it over to this user, whose it is then: their `author`.")
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
    label: LabelText | None = None
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
    label: LabelFilter | None = Field(None, description="With a version that this label serves.")
    tag: TagFilter | None = Field(None, description="Exactly this tag.")
    language: LanguageFilter | None = None
    folder: NameFilter | None = Field(None, description="In this folder or below it.")
    prefix: NameFilter | None = Field(None, description="The name begins with it.")


class BundleQuery(Schema):
    label: LabelFilter
    folder: NameFilter = Field("", description="In this folder or below it.")
    tag: TagFilter = ""


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
    label: LabelFilter | None = None
    at: Moment | None = Field(None, strict=False)
    subject: Text = Field("", max_length=1_000, description="Who it is for, where the label is split.")
    variables: Annotated[dict[str, Any], Field(max_length=MAX_VALUES)] = {}
    placeholders: Annotated[dict[str, Any], Field(max_length=MAX_VALUES)] = Field(
        {}, description="Messages by the name of the placeholder."
    )
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
