"""Jobs that the pages of collections start, and what these pages show of them (`vectors.admin.work`)."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from prompts.errors import RegistryProblem
from prompts.models import User
from vectors.admin import work
from vectors.errors import InvalidQuery

from . import registry
from .models import Job
from .starting import start


class Jobs:
    def start(self, kind: str, arguments: Mapping[str, Any], user: Any) -> None:
        try:
            start(kind, arguments, actor=user if isinstance(user, User) else None)
        except RegistryProblem as problem:
            raise InvalidQuery(problem.field, problem.expected, problem.got, problem.hint) from problem

    def last(self, kind: str, collection: str, user: Any) -> work.Work | None:
        key = registry.get(kind).key({"collection": collection})
        job = Job.objects.filter(kind=kind, key=key).order_by("-created_at").first()
        if job is None:
            return None
        return work.Work(
            state=str(job.state),
            done=job.done,
            total=job.total,
            message=job.message,
            cause=job.cause,
            arguments=job.arguments,
            result=job.result or {},
            finished_at=job.finished_at,
            url=reverse("admin:ops_job_change", args=[job.pk]) if user.has_perm("ops.view_job") else "",
        )


work.offer(Jobs())
