"""What the operations on API keys take and give."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.api_values import Text
from vectors.schemas import Body, Paging

from ..keys import MAX_NAME, MAX_OVERLAP
from ..models import ApiKey, Scope
from .values import Moment

Login = Annotated[Text, Field(max_length=254, description="Name or e-mail. Left out: yours.")]


class KeyFilters(Paging):
    user: Login | None = None


class KeyIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "website", "scopes": ["read"]}]})

    name: Text = Field(min_length=1, max_length=MAX_NAME, description="Who uses it.")
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(min_length=1, max_length=len(Scope))
    expires_at: Moment | None = Field(
        None, strict=False, description="Left out: it works until it is revoked."
    )
    user: Login | None = None


class RotateKeyIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    overlap_hours: int = Field(
        24,
        ge=0,
        le=int(MAX_OVERLAP.total_seconds() // 3600),
        description="How long the old secret works as well; 0: it ends now.",
    )


class KeyOut(Schema):
    id: str
    name: str
    user: str
    public_key: str
    scopes: list[str]
    state: str = Field(description="works, revoked or expired.")
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None = Field(description="Until when the secret before works as well.")

    @staticmethod
    def resolve_user(key: Any) -> str:
        return str(key.user.username)


class KeyPage(Schema):
    items: list[KeyOut]
    total: int
    limit: int
    offset: int


class IssuedKeyOut(KeyOut):
    secret_key: str = Field(description="Shown this once; it is kept nowhere.")

    @staticmethod
    def resolve_secret_key(key: ApiKey) -> str:
        return str(vars(key)["issued_secret"])
