"""Reading the audit log. Nothing here writes: lines are added by what they tell of."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from vectors.permissions import needs

from . import schemas
from .reading import find

router = Router(tags=["audit"])


@router.get("/audit", response={200: schemas.AuditPage})
@needs("ops.view_auditentry")
def list_audit_entries(request: HttpRequest, filters: Query[schemas.AuditFilters]) -> dict[str, Any]:
    """Who changed what, the newest first. Not counted: there may be millions of lines."""
    limit = filters.limit
    found = list(find(**filters.model_dump(exclude={"limit"}))[: limit + 1])
    return {"items": found[:limit], "next": found[limit - 1].pk if len(found) > limit else None}
