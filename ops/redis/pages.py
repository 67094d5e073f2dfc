"""The console's page of Redis: how it is, what it holds, what waits in its queues, what is wrong with it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from ops import console
from vectors.admin.charts import Axis, Chart, Point, Series

from . import looking
from .looking import Server

_VIEW: Final = "ops.view_healthrecord"


def urls() -> list[URLPattern]:
    """Of the console, below no model."""
    page = console.page
    return [
        path("ops/redis/", page(redis_page, _VIEW, *console.READ), name="ops_redis"),
        path("ops/redis/live/", page(live, _VIEW, *console.READ), name="ops_redis_live"),
    ]


def redis_page(request: HttpRequest) -> HttpResponse:
    servers = looking.look()
    context = admin.site.each_context(request)
    context |= {"title": _("Redis"), "servers": servers, "has_redis": bool(servers)}
    if servers and all(server.figures for server in servers):
        slow, problem = looking.slow_log()
        context |= {"slow": slow, "slow_problem": problem}
    context["charts"] = {server.address: _chart(number, server) for number, server in enumerate(servers)}
    return TemplateResponse(request, "admin/ops/redis/page.html", context)


def live(request: HttpRequest) -> HttpResponse:
    """The figures, which change while one looks."""
    context: dict[str, Any] = {"servers": looking.look(whole=False)}
    return TemplateResponse(request, "admin/ops/redis/live.html", context)


def _chart(number: int, server: Server) -> Chart | None:
    if server.sample is None:
        return None
    points = [Point(row["name"], row["count"]) for row in server.sample.rows]
    return Chart(
        f"keys-{number}",
        _("Keys by the beginning of their names"),
        [Series(_("Keys"), points, "bar")],
        x=Axis(scale="category"),
        y=Axis(_("keys"), low=0),
        is_horizontal=True,
    )
