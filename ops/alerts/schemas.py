"""What the API of alerts takes and gives."""

from datetime import datetime
from typing import Annotated

from ninja import Field, Schema

from vectors.api_values import OneOf, Text
from vectors.schemas import Paging

from .models import Alert, Severity


class AlertFilters(Paging):
    state: Annotated[Text, OneOf(("open", "over"))] | None = Field(None, description="None: both.")
    severity: Annotated[Text, OneOf(tuple(Severity.values))] | None = None


class AlertOut(Schema):
    id: str
    rule: str = Field(description="Its name when the alert was raised.", examples=["Memory is short"])
    metric: str = Field(examples=["memory_percent"])
    severity: str = Field(description=", ".join(Severity.values) + ".")
    is_open: bool
    started_at: datetime
    cleared_at: datetime | None = Field(description="Null: it is open.")
    note: str = Field(description="Why it is over, where the figure is not why.")
    value: float = Field(description="When it was raised.")
    worst: float
    last: float
    told_at: datetime | None = Field(description="Null: it was silenced all the time.")
    acknowledged_at: datetime | None
    acknowledged_by: str

    @staticmethod
    def resolve_rule(alert: Alert) -> str:
        return alert.rule_name


class AlertPage(Schema):
    items: list[AlertOut]
    total: int
    limit: int
    offset: int
