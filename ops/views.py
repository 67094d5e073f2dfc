from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .health import check_health, is_healthy


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Touches nothing else, so that a database's trouble does not restart the site."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def database(request: HttpRequest) -> JsonResponse:
    """200 where all that is configured works, else 503; either way with the parts."""
    health = check_health()
    return JsonResponse(health, status=200 if is_healthy(health) else 503)
