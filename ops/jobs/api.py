"""REST over jobs, for admins. What starts them are writes, schedules and commands."""

from typing import Annotated, Any, cast

from django.http import HttpRequest
from ninja import Path, Query, Router

from prompts.api.lookup import page
from prompts.api.values import Id
from prompts.errors import NotThere
from prompts.models import User
from vectors.permissions import needs

from . import changing, schemas
from .models import Job

router = Router(tags=["jobs"])
JobId = Annotated[Id, Path(description="Id of a job.")]


@router.get("/jobs", response={200: schemas.JobPage})
@needs("ops.view_job")
def list_jobs(request: HttpRequest, filters: Query[schemas.JobFilters]) -> dict[str, Any]:
    """What is done in the background, the newest first; kept for 30 days."""
    wanted = filters.model_dump(include={"kind", "state"}, exclude_none=True)
    return page(Job.objects.filter(**wanted), filters)


@router.get("/jobs/{id}", response={200: schemas.JobOut})
@needs("ops.view_job")
def get_job(request: HttpRequest, id: JobId) -> Job:
    """One job, with how far it has come."""
    return _find(id)


@router.post("/jobs/{id}/cancel", response={200: schemas.JobOut})
@needs("ops.change_job")
def cancel_job(request: HttpRequest, id: JobId) -> Job:
    """One that waits ends at once, one that runs at its next sign of progress. 409 where it is over."""
    return changing.cancel(_find(id), _actor(request))


@router.post("/jobs/{id}/retry", response={200: schemas.JobOut})
@needs("ops.change_job")
def retry_job(request: HttpRequest, id: JobId) -> Job:
    """Try one again that failed or was cancelled; 409 for others, and where another of its key is open."""
    return changing.retry(_find(id), _actor(request))


def _find(key: str) -> Job:
    job = Job.objects.filter(pk=key).first()
    if job is None:
        raise NotThere("id", "the id of a job", repr(key[:64]))
    return job


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get past a permission
