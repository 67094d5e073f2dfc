"""What Langfuse's prompt API takes and gives. Unknown members are ignored, as its server does."""

from typing import Annotated, Any, Final

from ninja import Field, Schema
from pydantic import BaseModel, ConfigDict, WithJsonSchema

from vectors.api_values import JsonObject, Text, declared

from ..api.values import (
    CONTENT,
    LabelFilter,
    Labels,
    LabelText,
    MessageText,
    Moment,
    NameFilter,
    NameText,
    ShownContent,
    TagFilter,
    Tags,
    VersionNumber,
)
from ..models import Kind
from ..validators import MAX_TAGS

MAX_PAGE: Final = 2**31 - 1


class ErrorOut(BaseModel):
    """Every error below ``/api/public`` has this form."""

    message: str
    error: str = Field(examples=["LangfuseNotFoundError"])


# The statuses that any operation may answer with.
ERRORS: Final = frozenset({400, 401, 403, 404, 405, 409, 411, 413, 415, 423, 429, 503})


class Given(BaseModel):
    """A request's body: JSON types are taken at their word. Unknown members are ignored on purpose: newer
    clients send more, such as `isActive`.
    """

    model_config = ConfigDict(strict=True, populate_by_name=True)


class CreateIn(Given):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "greeting", "prompt": "Hello {{name}}", "labels": ["production"], "tags": ["demo"]},
                {
                    "name": "support/triage",
                    "type": "chat",
                    "prompt": [
                        {"role": "system", "content": "Answer {{tone}}."},
                        {"type": "placeholder", "name": "history"},
                    ],
                    "config": {"model": "gpt-5-mini"},
                    "commitMessage": "First draft",
                },
            ]
        }
    )

    name: NameText
    prompt: Annotated[str | list[Any], WithJsonSchema(CONTENT)]
    type: Annotated[Text, declared(enum=Kind.values)] = Kind.TEXT.value
    config: JsonObject | None = Field(None, description="At most 64 KB and 8 levels.")
    labels: Labels | None = None
    tags: Annotated[Tags, Field(max_length=MAX_TAGS)] | None = Field(
        None, description="Of all versions; left out, they stay as they are."
    )
    commit_message: MessageText | None = Field(None, alias="commitMessage")


class LabelsIn(Given):
    model_config = ConfigDict(json_schema_extra={"examples": [{"newLabels": ["production"]}]})

    new_labels: Labels = Field(alias="newLabels", description="Labels to have as well; others take them off.")


class WhichQuery(Schema):
    version: VersionNumber | None = None
    label: LabelText | None = None


class GetQuery(WhichQuery):
    resolve: bool = Field(True, description="Put what the prompt includes in its place.")


class PageQuery(Schema):
    page: int = Field(1, ge=1, le=MAX_PAGE)
    limit: int = Field(50, ge=1, le=100)


class ListQuery(PageQuery):
    name: NameFilter | None = None
    version: VersionNumber | None = None
    label: LabelFilter | None = None
    tag: TagFilter | None = None
    from_updated_at: Moment | None = Field(None, alias="fromUpdatedAt")
    to_updated_at: Moment | None = Field(None, alias="toUpdatedAt")
    filter: Text | None = Field(
        None, max_length=10_000, description="Conditions as JSON, in place of others."
    )


class MetaOut(Schema):
    page: int
    limit: int
    totalItems: int
    totalPages: int


class PromptOut(Schema):
    id: str = Field(description="Of the version.")
    projectId: str
    name: str
    type: str
    version: int
    prompt: ShownContent
    config: dict[str, Any]
    labels: list[str]
    tags: list[str]
    commitMessage: str | None
    createdAt: str
    updatedAt: str
    createdBy: str
    isActive: bool = Field(description="Has the label production.")
    resolutionGraph: dict[str, Any] | None


class PromptMetaOut(Schema):
    name: str
    type: str
    versions: list[int]
    labels: list[str]
    tags: list[str]
    lastUpdatedAt: str
    lastConfig: dict[str, Any]


class PromptListOut(Schema):
    data: list[PromptMetaOut]
    meta: MetaOut


class OrganizationOut(Schema):
    id: str
    name: str


class ProjectOut(Schema):
    id: str
    name: str
    organization: OrganizationOut
    metadata: dict[str, Any]


class ProjectsOut(Schema):
    data: list[ProjectOut]


class HealthOut(Schema):
    status: str
    version: str
