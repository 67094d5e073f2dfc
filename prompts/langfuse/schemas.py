"""What Langfuse's prompt API takes and gives. Unknown members are ignored, as its server does."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from vectors.schemas import Text

from ..api.values import Labels, ShownContent, VersionNumber

MAX_PAGE: Final = 2**31 - 1
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


class ErrorOut(BaseModel):
    """Every error below ``/api/public`` has this form."""

    message: str
    error: str = Field(examples=["LangfuseNotFoundError"])


# The statuses that any operation may answer with.
ERRORS: Final = frozenset({400, 401, 403, 404, 405, 409, 411, 413, 415, 423, 429, 503})


def _text(value: Any) -> Any:
    if not isinstance(value, str) or not _DATE.match(value):  # numbers would be taken for seconds
        raise PydanticCustomError("moment", "Expected a date and time in ISO 8601 as text")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment", "Expected a date within the years 1 to 9999") from error


Moment = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_utc)]


class Given(BaseModel):
    """A request's body: JSON types are taken at their word."""

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

    name: Text
    prompt: str | list[Any] = Field(description="A text, or messages and placeholders.")
    type: Text = Field("text", description="text or chat.")
    config: dict[str, Any] | None = None
    labels: Labels | None = None
    tags: list[Text] | None = Field(None, description="Of all versions; left out, they stay as they are.")
    commit_message: Text | None = Field(None, alias="commitMessage")


class LabelsIn(Given):
    model_config = ConfigDict(json_schema_extra={"examples": [{"newLabels": ["production"]}]})

    new_labels: Labels = Field(alias="newLabels", description="Labels to have as well; others take them off.")


class WhichQuery(Schema):
    version: VersionNumber | None = None
    label: Text | None = None


class GetQuery(WhichQuery):
    resolve: bool = Field(True, description="Put what the prompt includes in its place.")


class PageQuery(Schema):
    page: int = Field(1, ge=1, le=MAX_PAGE)
    limit: int = Field(50, ge=1, le=100)


class ListQuery(PageQuery):
    name: Text | None = None
    version: VersionNumber | None = None
    label: Text | None = None
    tag: Text | None = None
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
