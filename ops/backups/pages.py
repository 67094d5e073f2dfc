"""The pages of backups: what there is, one backup, its download, and putting it into the place of what is."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ops import console
from ops.audit.recording import try_record
from ops.environments.base import EnvironmentProblem
from ops.environments.current import get_provider
from ops.jobs import offers
from ops.jobs.cells import Cells
from prompts.models import User
from prompts.own_password import WrongPassword, check_own_password
from vectors.admin.charts import Axis, Chart, Point, Series

from . import catalogue, downloading, folder, in_place, overview
from .manifest import About
from .models import BackupDrill
from .names import BackupName
from .overview import Row
from .restoring import check_suitable
from .unpacking import read_about

logger = logging.getLogger(__name__)
_VIEW: Final = "ops.view_backupdrill"
_DRAWN: Final = 100
_LISTED: Final = 5


def urls() -> list[URLPattern]:
    """Below the list of backups."""
    page, read = console.page, console.READ
    return [
        path("live/", page(live, _VIEW, *read), name="ops_backupdrill_live"),
        path("backup/<str:name>/", page(one, _VIEW, *read), name="ops_backupdrill_backup"),
        path(
            "backup/<str:name>/download/",
            page(download, _VIEW, "POST"),
            name="ops_backupdrill_download",
        ),
        path("backup/<str:name>/restore/", page(restore, _VIEW, "POST"), name="ops_backupdrill_restore"),
    ]


def list_page(request: HttpRequest) -> HttpResponse:
    context = admin.site.each_context(request) | _parts(request, with_bucket=False)
    drills = list(BackupDrill.objects.order_by("-created_at")[:_DRAWN])
    context |= {
        "title": _("Backups"),
        "opts": BackupDrill._meta,
        "drills": drills[:_LISTED],
        "chart": _chart(drills),
        "is_encrypted": bool(settings.AFN_BACKUP_KEY or settings.AFN_BACKUP_RECIPIENTS),
        "folder": folder.folder(),
    }
    return TemplateResponse(request, "admin/ops/backups/list.html", context)


def live(request: HttpRequest) -> HttpResponse:
    """The backups and the jobs about them, as of now; with what the bucket has."""
    context = _parts(request, with_bucket=True)
    response = TemplateResponse(request, "admin/ops/backups/live.html", context)
    if "working" in request.GET and not context["jobs"]:
        response["HX-Refresh"] = "true"  # what came of it is on the rest of the page, too
    return response


def one(request: HttpRequest, name: str) -> HttpResponse:
    return _page(request, _found(name))


def download(request: HttpRequest, name: str) -> HttpResponse | StreamingHttpResponse:
    row, user = _found(name), _superuser(request)
    try:
        check_own_password(request, request.POST.get("password", ""))
        catalogue.fetch(str(row.name))  # what only the bucket has
        stored = next(one for one in folder.stored() if one.name == row.name)
        answer = downloading.send(request, stored)
    except (WrongPassword, EnvironmentProblem) as problem:
        return _page(request, row, download_problem=str(problem))
    try_record("backup.downloaded", kind="ops.backup", key=str(row.name)[:64], name=str(row.name))
    logger.warning("%s downloads %s", user.get_username(), row.name)
    return answer


def restore(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for the password and for the name of the environment, and does it while the request waits."""
    row, user = _found(name), _superuser(request)
    environment = overview.environment()
    try:
        check_own_password(request, request.POST.get("password", ""))
        if request.POST.get("environment", "").strip() != environment:
            told = _("Nothing was changed: type %(name)s, the name of the environment, to confirm.")
            raise WrongPassword(told % {"name": environment})
        context = admin.site.each_context(request)  # of who asked: the restored database may not know them
        done = in_place.restore_in_place(
            row.name,
            user,
            request.session.session_key or "",
            migrate="migrate" in request.POST,
        )
    except (WrongPassword, EnvironmentProblem) as problem:
        return _page(request, row, restore_problem=str(problem))
    context |= {"title": _("Restored"), "done": done.restored, "restored": done, "row": row}
    return TemplateResponse(request, "admin/ops/backups/restored.html", context)


def _parts(request: HttpRequest, *, with_bucket: bool) -> dict[str, Any]:
    """What `live.html` shows."""
    jobs = overview.open_jobs()
    return {
        "overview": overview.overview(with_bucket=with_bucket),
        "jobs": [Cells(job) for job in jobs],
        "may_act": request.user.has_perm(offers.PERMISSION),
    }


def _page(request: HttpRequest, row: Row, **problems: str) -> HttpResponse:
    about, problem = _about(row)
    unsuitable, needs_migrations = _suitability(about)
    told = overview.told_of(row.name)
    jobs = [job for job in overview.open_jobs() if job.arguments.get("backup", "") in ("", str(row.name))]
    context = admin.site.each_context(request)
    context |= {
        "title": str(row.name),
        "opts": BackupDrill._meta,
        "row": row,
        "about": about,
        "about_problem": problem,
        "unsuitable": unsuitable,
        "needs_migrations": needs_migrations,
        "told": told,
        "tables": sorted(row.tables.items(), key=lambda item: (-item[1], item[0])) if row.tables else [],
        "drills": BackupDrill.objects.filter(backup=str(row.name)).order_by("-created_at")[:_LISTED],
        "jobs": [Cells(job) for job in jobs],
        "environment": overview.environment(),
        "may_act": request.user.has_perm(offers.PERMISSION),
        "may_restore": bool(getattr(request.user, "is_superuser", False)),
        **problems,
    }
    return TemplateResponse(request, "admin/ops/backups/backup.html", context)


def _found(text: str) -> Row:
    """By its name in the catalogue: nothing of the address becomes a path."""
    name = BackupName.read(text)
    try:
        row = overview.find(name) if name is not None else None
    except EnvironmentProblem as problem:
        raise Http404(str(problem)) from problem
    if row is None:
        raise Http404(_("There is no such backup. It may have been removed by the rule of what is kept."))
    return row


def _superuser(request: HttpRequest) -> User:
    """Who has the whole database in the end."""
    if not isinstance(request.user, User) or not request.user.is_superuser:
        raise PermissionDenied
    return request.user


def _about(row: Row) -> tuple[About | None, str]:
    """What stands at its beginning, and else why it cannot be read."""
    if row.known.here is None:
        return None, ""
    try:
        return read_about(row.known.here.path), ""
    except EnvironmentProblem as problem:
        return None, str(problem)


def _suitability(about: About | None) -> tuple[str, bool]:
    """Why it cannot be restored in place, and whether it can once migrations have run on it."""
    if about is None:
        return "", False
    try:
        provider = get_provider()
        check_suitable(about, provider, migrate=True)
    except EnvironmentProblem as problem:
        return str(problem), False
    try:
        check_suitable(about, provider)
    except EnvironmentProblem:
        return "", True
    return "", False


def _chart(drills: list[BackupDrill]) -> Chart:
    """How long a restore takes, by the drills."""
    names = {True: _("proved"), False: _("failed")}
    found = {True: list[Point](), False: list[Point]()}
    for drill in reversed(drills):
        url = reverse("admin:ops_backupdrill_change", args=[drill.pk])
        found[drill.ok].append(Point(drill.created_at, round(drill.seconds, 2), drill.backup, url))
    return Chart(
        "drills",
        _("How long a restore takes, by the drills"),
        [Series(names[ok], points, "points") for ok, points in found.items() if points],
        x=Axis(scale="time"),
        y=Axis(_("seconds"), low=0),
    )
