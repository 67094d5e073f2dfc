"""Bodies and answers of the API of webhooks. No full address is ever shown, and no secret but a new one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import Text, declared
from vectors.outgoing import MAX_URL
from vectors.schemas import Body, Paging

from .models import Delivery, DeliveryStatus, Format
from .saving import KINDS, MAX_OVERLAP

MAX_HOURS = int(MAX_OVERLAP.total_seconds() // 3600)
Name = Annotated[Text, Field(min_length=1, max_length=100)]
# Not in errors: pydantic would quote what does not fit, and it may be secret.
Url = Annotated[Text, Field(max_length=MAX_URL, description="Where to: https:// and a public host.")]
FormatName = Annotated[Text, declared(enum=Format.values)]
Kinds = Annotated[
    list[Annotated[Text, declared(enum=list(KINDS))]],
    Field(max_length=len(KINDS), description="Which events; none: all."),
]
Folder = Annotated[Text, Field(max_length=255, description="Only prompts in it or below it; empty: all.")]
Label = Annotated[
    Text, Field(max_length=36, description="Only events of this label: its moves and splits; empty: all.")
]


class WebhookIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "deploy",
                    "url": "https://ci.example.org/hooks/afn",
                    "kinds": ["label.moved"],
                    "label": "production",
                },
                {"name": "team", "url": "https://hooks.slack.com/services/…", "format": "slack"},
            ]
        }
    )

    name: Name
    url: Url
    format: FormatName = Format.GENERIC.value
    kinds: Kinds = []
    folder: Folder = ""
    label: Label = ""
    is_active: bool = True


class WebhookChange(Body):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kinds": []}, {"is_active": False}, {"paused": False}]}
    )

    name: Name | None = None
    url: Url | None = None
    format: FormatName | None = None
    kinds: Kinds | None = None
    folder: Folder | None = None
    label: Label | None = None
    is_active: bool | None = None
    paused: Literal[False] | None = Field(None, description="false: end the pause, and send what has waited.")

    def changes(self) -> dict[str, Any]:
        values = self.model_dump(exclude={"paused"}, exclude_unset=True)
        return {name: value for name, value in values.items() if value is not None}


class WebhookOut(Schema):
    id: str
    name: str
    url: str = Field(
        description="Scheme and host; the rest may be secret.", examples=["https://example.org/…"]
    )
    format: str
    kinds: list[str]
    folder: str
    label: str
    is_active: bool
    paused_at: datetime | None = Field(description="Since when it is told nothing, because it kept failing.")
    paused_reason: str
    failing_since: datetime | None = Field(description="Null: the last delivery arrived.")
    old_secret_until: datetime | None = Field(description="Until then the secret before signs as well.")
    created_by: str | None
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_url(webhook: Any) -> str:
        return str(webhook.shown_url)

    @staticmethod
    def resolve_created_by(webhook: Any) -> str | None:
        return webhook.created_by.username if webhook.created_by else None


class IssuedOut(WebhookOut):
    secret: str = Field(description="Verifies signatures. Shown this once.", examples=["whsec_…"])


class WebhookList(Schema):
    items: list[WebhookOut]


class RotateIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}, {"overlap_hours": 0}]})

    overlap_hours: float = Field(
        24,
        ge=0,
        le=MAX_HOURS,
        description="For how long the old secret signs as well. 0: it is known to others.",
    )


class DeliveryFilters(Paging):
    status: Literal["pending", "sending", "delivered", "failed"] | None = None


class DeliveryOut(Schema):
    id: str
    event_id: str
    kind: str
    prompt: str = Field(description="Name of the prompt; empty for a ping.")
    status: str = Field(description=", ".join(DeliveryStatus.values) + ".")
    replay: int = Field(description="0: the first delivery of the event; 1: its first replay …")
    attempts: int
    next_attempt_at: datetime | None = Field(description="Null where it is over.")
    response_status: int | None
    response_excerpt: str
    duration_ms: float | None
    error: str
    created_at: datetime
    delivered_at: datetime | None

    @staticmethod
    def resolve_kind(delivery: Delivery) -> str:
        return delivery.event.kind

    @staticmethod
    def resolve_prompt(delivery: Delivery) -> str:
        return delivery.event.prompt_name

    @staticmethod
    def resolve_next_attempt_at(delivery: Delivery) -> datetime | None:
        return delivery.next_attempt_at if delivery.status == DeliveryStatus.PENDING else None


class DeliveryPage(Schema):
    items: list[DeliveryOut]
    limit: int
    offset: int
    has_more: bool
