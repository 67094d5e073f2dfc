"""Bodies and answers of the API of environments."""

from datetime import datetime

from ninja import Field, Schema

from vectors.schemas import Body, Text


class EnvironmentOut(Schema):
    name: str
    address: str = Field(description="File or URL, without any secret.")
    is_current: bool
    is_protected: bool
    frozen: str = Field(description="Why writes are blocked; empty where they are not.")
    parent: str = Field(description="What it is a copy of; empty where it was made by itself.")
    created_at: datetime | None
    size: int | None = Field(description="Bytes.")


class EnvironmentList(Schema):
    items: list[EnvironmentOut]


class EnvironmentIn(Body):
    name: Text = Field(description="1 to 63 lower-case letters, digits and hyphens, a letter first.")
    source: Text = Field("", description="Copy this environment; without it the new one is empty.")


class FreezeIn(Body):
    reason: Text = Field(description="What whoever tries to write is told.")
