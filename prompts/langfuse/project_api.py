"""What clients of Langfuse ask first, and the traces that they send."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from ninja import Router

from vectors.permissions import READING, needs
from vectors.rows import execute

from . import projects, schemas
from .counts import count_dropped
from .otlp import JSON, PROTOBUF, count_spans
from .schemas import ErrorOut

router = Router(tags=["project"])


@router.get("/projects", response={200: schemas.ProjectsOut})
def list_projects(request: HttpRequest) -> dict[str, Any]:
    """The one project that the key belongs to."""
    return {"data": [projects.describe()]}


@router.get("/health", response={200: schemas.HealthOut, 503: ErrorOut}, auth=None)
def health(request: HttpRequest) -> dict[str, str]:
    """Whether the database answers. It needs no key."""
    execute(DEFAULT_DB_ALIAS, ("SELECT 1", []))
    return {"status": "OK", "version": projects.VERSION}


@router.post("/otel/v1/traces", response={200: None})
@needs(READING)  # nothing is kept
def take_traces(request: HttpRequest) -> HttpResponse:
    """Spans of OpenTelemetry as protobuf or JSON, also packed with gzip. They are counted and dropped."""
    encoding = request.headers.get("Content-Encoding", "").lower()
    kind = request.content_type or ""
    count_dropped("span", count_spans(request.body, kind, encoding))
    # An empty answer says that all were taken.
    return HttpResponse(b"{}" if kind == JSON else b"", content_type=JSON if kind == JSON else PROTOBUF)
