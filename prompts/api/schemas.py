"""What the prompt API takes and gives. The models judge values; here stand types, names and examples."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from django.core.exceptions import ValidationError
from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from vectors.schemas import Body, Paging, Text

from ..models import LATEST, Evaluation, Kind, Prompt, PromptVersion, Status, TemplateFormat
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.names import check_text
from ..saving import MAX_MESSAGE
from ..validators import (
    MAX_CONTENT_LENGTH,
    MAX_LANGUAGE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
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
_HASH = "SHA-256 of the content; of more than a text as JSON with sorted keys."
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment", "Expected a moment of the years 1 to 9999 in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Chat(NamedTuple):
    """The text of a chat's messages, told from a text."""

    text: str


def _content(value: Any) -> Any:
    try:
        if isinstance(value, list):
            return Chat(messages.dump(messages.check(value)))
        return check_text(value, "content", MAX_CONTENT_LENGTH)
    except TemplateProblem as problem:
        where = "" if problem.field == "content" else f" ({problem.field})"
        wanted = {"expected": problem.expected, "got": problem.got, "where": where}
        raise PydanticCustomError("content", "Expected {expected}, got {got}{where}", wanted) from problem


_MESSAGES: dict[str, Any] = {
    "type": "array",
    "maxItems": messages.MAX_MESSAGES,
    "items": {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "maxLength": messages.MAX_ROLE},
                    "content": {"type": "string", "maxLength": MAX_CONTENT_LENGTH},
                },
                "required": ["role", "content"],
            },
            {
                "type": "object",
                "properties": {"type": {"const": "placeholder"}, "name": {"type": "string"}},
                "required": ["type", "name"],
            },
        ]
    },
}
_CONTENT: dict[str, Any] = {
    "description": "A text, or a list of messages and placeholders.",
    "anyOf": [{"type": "string", "maxLength": MAX_CONTENT_LENGTH}, _MESSAGES],
}
Content = Annotated[Any, AfterValidator(_content), WithJsonSchema(_CONTENT)]
ShownContent = Annotated[Any, WithJsonSchema(_CONTENT)]
Variables = Annotated[
    dict[str, Any],
    Field(
        description="What is declared of variables; what the content uses beside is inferred.",
        examples=[{"tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}}],
    ),
]
_Label = Annotated[Text, Field(json_schema_extra={"maxLength": 36})]
Labels = Annotated[list[_Label], Field(max_length=20, description="Labels that are to serve this version.")]


# Bounds that the schema shows; the models hold values to them, in better words than Pydantic's.
NameText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_NAME_LENGTH})]
WordText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_LANGUAGE_LENGTH})]
MessageText = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_MESSAGE})]
_Tag = Annotated[Text, Field(json_schema_extra={"maxLength": MAX_TAG_LENGTH})]
Tags = Annotated[list[_Tag], Field(json_schema_extra={"maxItems": MAX_TAGS})]


class Changes(Body):
    """Members of a prompt that are to be set; only those that are given count."""

    def changes(self) -> dict[str, Any]:
        values = self.model_dump(
            exclude_unset=True, exclude={"message", "labels", "base_version", "type", "if_identical"}
        )
        if isinstance(values.get("content"), tuple):
            values["content"] = values["content"][0]
        return values

    def check_type(self, prompt: Prompt) -> None:
        """Raises ValidationError where the content given is of another type than the prompt."""
        content = getattr(self, "content", "")
        if "content" in self.model_fields_set and isinstance(content, Chat) != (prompt.type == Kind.CHAT):
            expected = "a list of messages" if prompt.type == Kind.CHAT else "a text"
            got = "a list" if isinstance(content, Chat) else "a text"
            raise ValidationError({"content": f"Expected {expected}, as in all versions, got {got}."})


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


class VersionIn(Changes):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"content": "Rewrite {{resume}}.", "labels": ["staging"], "message": "Shorter"}]
        }
    )

    content: Content = ""
    template_format: WordText = ""
    variables: Variables = {}
    config: dict[str, Any] = {}
    labels: Labels = []
    base_version: VersionNumber | None = Field(
        None, description="The newest version that you know; 409 where there is another."
    )
    if_identical: Literal["reuse", "refuse"] = "reuse"
    message: MessageText = Field("", description="What is new in this version, and why.")


class RestoreIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "The shorter one was worse"}]})

    message: MessageText = ""


class RestorePromptIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"name": "writing/old-rewriter"}]})

    name: NameText = Field("", description="Left out: its own.")


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
    content_hash: str | None = Field(description=_HASH)
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


class VersionSummary(Schema):
    version: int
    parent: int | None = Field(description="The version it was made from.")
    content_hash: str = Field(description=_HASH)
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


class DependantsOut(Schema):
    items: list[DependantOut]


class GraphOut(Schema):
    graph: dict[str, Any] | None = Field(description="Null where nothing is included.")


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


class TrashedPrompt(Schema):
    id: str
    name: str
    title: str
    version: int
    author: str
    deleted_at: datetime

    @staticmethod
    def resolve_author(prompt: Prompt) -> str:
        return prompt.user.username


class TrashPage(Schema):
    items: list[TrashedPrompt]
    total: int
    limit: int
    offset: int


class TrashedVersion(Schema):
    prompt: str
    version: int
    message: str
    deleted_at: datetime

    @staticmethod
    def resolve_prompt(version: PromptVersion) -> str:
        return version.prompt.name


class TrashedVersionPage(Schema):
    items: list[TrashedVersion]
    total: int
    limit: int
    offset: int


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


class EvaluationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": 0.92, "metrics": {"accuracy": 0.95, "latency_ms": 840}}]}
    )

    score: float = Field(description="From 0 (worst) to 1 (best).")
    metrics: dict[str, Any] = {}
    name: Text = Field("", description="What was judged, such as accuracy; empty: the main score.")
    item: Text = Field("", description="On what; versions are compared on the same items.")
    version: VersionNumber | None = Field(None, description="Left out: the current one.")


class EvaluationFilters(Paging):
    version: VersionNumber | None = None
    name: Text | None = None


class EvaluationOut(Schema):
    id: str
    version: int | None
    name: str
    item: str
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
