"""Reading alerts. Rules, channels and silences are for the console."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from prompts.api.lookup import page
from vectors.permissions import needs

from . import schemas
from .models import Alert

router = Router(tags=["alerts"])


@router.get("/alerts", response={200: schemas.AlertPage})
@needs("ops.view_alert")
def list_alerts(request: HttpRequest, filters: Query[schemas.AlertFilters]) -> dict[str, Any]:
    """What was raised, the newest first: open and over; kept for a year."""
    rows = Alert.objects.all()
    if filters.state:
        rows = rows.filter(cleared_at__isnull=filters.state == "open")
    if filters.severity:
        rows = rows.filter(severity=filters.severity)
    return page(rows, filters)
