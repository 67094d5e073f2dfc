"""Reading the slow queries. What is kept, and for how long, is for the settings to say."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from vectors.permissions import needs

from . import schemas
from .reading import groups

router = Router(tags=["slow queries"])


@router.get("/slow-queries", response={200: schemas.SlowQueryList})
@needs("ops.view_slowquery")
def list_slow_queries(request: HttpRequest, filters: Query[schemas.SlowQueryFilters]) -> dict[str, Any]:
    """Statements that took longer than AFN_SLOW_QUERY_SECONDS, those that took longest in all first; with the
    facts of the last time. Values are not kept.
    """
    found = groups(filters.limit, since=filters.since)
    return {"items": [schemas.SlowQueryOut.of(group) for group in found]}
