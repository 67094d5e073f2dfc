"""What reading the audit log takes and gives."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema

from prompts.api.values import Moment
from vectors.api_values import Text

from .models import Source

Short = Annotated[Text, Field(max_length=255)]


class AuditFilters(Schema):
    action: Short | None = Field(None, description="Such as label.moved; with a * at its end: label.*.")
    object_type: Short | None = Field(None, description="Such as prompts.prompt; with object_id.")
    object_id: Short | None = None
    actor: Short | None = Field(None, description="Id or name of a user.")
    source: Short | None = Field(None, description=", ".join(Source.values) + ".")
    since: Moment | None = Field(None, description="From this moment on.")
    until: Moment | None = Field(None, description="Before this moment.")
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="Lines with a lower id: `next`.")
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class AuditOut(Schema):
    id: int
    created_at: datetime
    action: str = Field(examples=["label.moved"])
    object_type: str
    object_id: str
    object_name: str = Field(description="As it was then.")
    actor_id: str
    actor_name: str = Field(description="As it was then; of a command the login of its machine.")
    source: str
    address: str
    request_id: str
    changes: dict[str, Any] = Field(examples=[{"status": ["draft", "active"], "version": 3}])


class AuditPage(Schema):
    items: list[AuditOut]
    next: int | None = Field(description="Give it as `before` for the next page; null on the last one.")
