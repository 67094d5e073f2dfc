from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .health import viewers, watching
from .health.database import check_health, is_healthy
from .monitoring import exposition


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Touches nothing else, so that a database's trouble does not restart the site."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 while all works that requests need (AFN_READY_NEEDS), else 503; figures for who may see them."""
    health = watching.current()
    with_figures = "detail" in request.GET and viewers.may_see_figures(request)
    body = health.as_json(with_figures=with_figures)
    return JsonResponse(body, status=200 if health.is_ready else 503)


@never_cache
@require_safe
def database(request: HttpRequest) -> JsonResponse:
    """200 where all that is configured works, else 503; either way with the parts."""
    health = check_health()
    return JsonResponse(health, status=200 if is_healthy(health) else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus. Where nobody may read them, the page does not exist."""
    if viewers.has_metrics_token(request) or viewers.is_trusted_here(request):
        return HttpResponse(exposition.render(), content_type=exposition.CONTENT_TYPE)
    if not settings.AFN_METRICS_TOKEN:
        raise Http404
    refused = HttpResponse(
        "Send AFN_METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain"
    )
    refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return refused


@never_cache
def streams(request: HttpRequest) -> JsonResponse:
    """Where `/ws` or `/events` is asked of a process that cannot hold connections open."""
    detail = (
        "Expected a WebSocket at /ws. Where /events is answered so, this process serves WSGI: have the proxy "
        "lead both to the one that serves ASGI, as for /mcp (docs/realtime.md)."
    )
    return JsonResponse({"detail": detail}, status=426, headers={"Upgrade": "websocket"})
