"""What reading the slow queries takes and gives."""

from datetime import datetime
from typing import Annotated, Self

from ninja import Field, Schema

from prompts.api.values import Moment

from .reading import Group

MAX_LIMIT = 200


class SlowQueryFilters(Schema):
    since: Moment | None = Field(None, description="Only from this moment on.")
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50


class SlowQueryOut(Schema):
    fingerprint: str = Field(description="The same for the same statement, whatever its values.")
    sql: str = Field(examples=['SELECT "prompts"."id" FROM "prompts" WHERE "prompts"."title" LIKE ?'])
    count: int
    p50_seconds: float
    max_seconds: float
    last_seen: datetime
    rows: int | None = Field(description="Read or changed the last time, where that is known.")
    plan: str = Field(description="EXPLAIN QUERY PLAN, with NULL for every value.")
    place: str = Field(description="The last request, task or command.", examples=["GET /api/v1/search"])
    caller: str = Field(description="The line of AFN that asked.", examples=["prompts.search:120"])
    request_id: str
    database: str = Field(description="Alias; environment:… is another environment.")
    error: str = Field(description="Kind of error, where it failed the last time.")

    @classmethod
    def of(cls, group: Group) -> Self:
        latest = group.latest
        return cls(
            fingerprint=group.fingerprint,
            sql=latest.sql,
            count=group.count,
            p50_seconds=round(group.p50, 4),
            max_seconds=round(group.longest, 4),
            last_seen=latest.created_at,
            rows=latest.rows,
            plan=latest.plan,
            place=latest.place,
            caller=latest.caller,
            request_id=latest.request_id,
            database=latest.database,
            error=latest.error,
        )


class SlowQueryList(Schema):
    items: list[SlowQueryOut]
