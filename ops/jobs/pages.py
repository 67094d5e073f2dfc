"""The pages of jobs beside their list: one job, what of a page is live, and starting one by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ops import console
from ops.audit.models import AuditEntry
from prompts.errors import RegistryProblem
from prompts.models import User

from . import changing, offers, results, words
from .cells import Cells
from .forms import ArgumentsForm
from .models import OPEN, Job, JobState
from .related import links, starter_of
from .starting import start

_VIEW: Final = "ops.view_job"
_MOST_LIVE: Final = 100
_MOST_LINES: Final = 20


def urls() -> list[URLPattern]:
    """Below the list of jobs."""
    page, read = console.page, console.READ
    return [
        path("live/", page(live_cells, _VIEW, *read), name="ops_job_live"),
        path("start/", page(start_page, offers.PERMISSION, *read), name="ops_job_start"),
        path(
            "start/<str:kind>/",
            page(start_one, offers.PERMISSION, *read, "POST"),
            name="ops_job_start_kind",
        ),
        path("<str:object_id>/live/", page(live_job, _VIEW, *read), name="ops_job_live_one"),
        path("<str:object_id>/cancel/", page(cancel, offers.PERMISSION, "POST"), name="ops_job_cancel"),
        path("<str:object_id>/retry/", page(retry, offers.PERMISSION, "POST"), name="ops_job_retry"),
    ]


class _Titled:
    """A job, as the head of its page calls it."""

    def __init__(self, job: Job) -> None:
        self._meta, self.pk, self._title = Job._meta, job.pk, words.describe(job)

    def __str__(self) -> str:
        return self._title


def job_page(request: HttpRequest, job: Job) -> HttpResponse:
    context = admin.site.each_context(request) | facts(request, job)
    context |= {"title": words.describe(job), "opts": Job._meta, "original": _Titled(job)}
    return TemplateResponse(request, "admin/ops/job/page.html", context)


def live_job(request: HttpRequest, object_id: str) -> HttpResponse:
    """The part of a job's page that changes."""
    return TemplateResponse(request, "admin/ops/job/body.html", facts(request, _found(object_id)))


def live_cells(request: HttpRequest) -> HttpResponse:
    """The cells of jobs that are open on a list, each to be put into its place."""
    keys = request.GET.getlist("id")[:_MOST_LIVE]
    jobs = list(Job.objects.filter(pk__in=keys).defer("result"))
    is_open = [job.pk for job in jobs if job.state in OPEN]
    context = {"cells": [Cells(job) for job in jobs], "keys": is_open}
    return TemplateResponse(request, "admin/ops/job/live_cells.html", context)


def cancel(request: HttpRequest, object_id: str) -> HttpResponse:
    return _act(request, object_id, changing.cancel, _("It is cancelled, or about to end."))


def retry(request: HttpRequest, object_id: str) -> HttpResponse:
    return _act(request, object_id, changing.retry, _("It waits again, and is tried anew in a moment."))


def start_page(request: HttpRequest) -> HttpResponse:
    context = admin.site.each_context(request)
    context |= {"title": _("Start a job"), "opts": Job._meta, "offers": offers.offered(request.user)}
    return TemplateResponse(request, "admin/ops/job/start.html", context)


def start_one(request: HttpRequest, kind: str) -> HttpResponse:
    """GET shows the form of its arguments. POST starts it, also from forms of other pages."""
    try:
        offer = offers.get(request.user, kind)
    except RegistryProblem as problem:
        raise Http404(str(problem)) from problem
    is_sent = request.method == "POST"
    form = ArgumentsForm(offer, request.POST if is_sent else None)
    if is_sent and form.is_valid():
        # One of the same key that is open already is what is returned then.
        before = set(Job.objects.filter(state__in=OPEN, kind=kind).values_list("pk", flat=True))
        try:
            job = start(kind, form.checked, actor=console.actor(request))
        except RegistryProblem as problem:
            form.add_error(None, str(problem))
        else:
            console.said_started(request, job, words.describe(job), was_there=job.pk in before)
            return HttpResponseRedirect(_next(request, job))
    context = admin.site.each_context(request)
    context |= {
        "title": offer.title,
        "opts": Job._meta,
        "offer": offer,
        "form": form,
        "next": _wanted(request),
    }
    return TemplateResponse(request, "admin/ops/job/start_one.html", context)


def facts(request: HttpRequest, job: Job) -> dict[str, Any]:
    """What `body.html` shows."""
    user: Any = request.user
    may_act = user.has_perm(offers.PERMISSION)
    return {
        "job": job,
        "cells": Cells(job),
        "is_open": job.state in OPEN,
        "starter": starter_of(job),
        "arguments": [(name, results.text_of(name, value)) for name, value in words.pairs(job.arguments)],
        "shown": results.show(job.result),
        "raw": json.dumps({"arguments": job.arguments, "result": job.result}, indent=2, ensure_ascii=False),
        "remedy": words.remedy_of(job) if job.cause else "",
        "again": words.will_try_again(job) if job.state == JobState.WAITING and job.cause else "",
        "links": links(job, user),
        "lines": _lines(job) if user.has_perm("ops.view_auditentry") else [],
        "may_cancel": may_act and job.state in OPEN and not job.cancel_requested_at,
        "may_retry": may_act and job.state in (JobState.FAILED, JobState.CANCELLED),
    }


def _found(key: str) -> Job:
    job = Job.objects.filter(pk=key[:64]).first()
    if job is None:
        raise Http404(_("There is no such job; those that are over are kept for 30 days."))
    return job


def _lines(job: Job) -> list[AuditEntry]:
    lines = AuditEntry.objects.filter(object_type="ops.job", object_id=job.pk).order_by("-created_at")
    return list(lines[:_MOST_LINES])


def _act(
    request: HttpRequest, key: str, act: Callable[[Job, User | None], Job], done: str
) -> HttpResponseRedirect:
    job = _found(key)
    try:
        act(job, console.actor(request))
    except RegistryProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(_next(request, job))


def _next(request: HttpRequest, job: Job) -> str:
    if wanted := _wanted(request):
        return wanted
    return reverse("admin:ops_job_change", args=[job.pk]) if request.user.has_perm(_VIEW) else _home()


def _wanted(request: HttpRequest) -> str:
    """The page of this site to which a form leads, empty where it names none."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_here = url_has_allowed_host_and_scheme(wanted, None) and wanted.startswith("/admin/")
    return wanted if is_here else ""


def _home() -> str:
    return reverse("admin:index")
