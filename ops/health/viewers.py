"""Who may see figures and details: whoever reads the metrics, and people and keys with the permission."""

import hmac
import re
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest

from prompts.models import ApiKey, Scope

PERMISSION: Final = "ops.view_healthrecord"
# Whoever came by a proxy is not on this machine, whatever the address says. Some tell no address of it, but
# the scheme or the host that they were asked by, or have a name of their own for it.
_FORWARDED: Final = re.compile(
    r"HTTP_(X_FORWARDED\w*|FORWARDED\w*|VIA|X_REAL_IP|X_(ORIGINAL|CLIENT|CLUSTER)\w*|CF_\w+|TRUE_CLIENT_IP|FASTLY_CLIENT_IP)"
)
_LOOPBACK: Final = re.compile(r"127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3}")


def has_metrics_token(request: HttpRequest) -> bool:
    token = bearer(request)
    expected = settings.AFN_METRICS_TOKEN
    return bool(expected and token) and hmac.compare_digest(token.encode(), expected.encode())


def is_trusted_here(request: HttpRequest) -> bool:
    """A program of this machine, where AFN_TRUST_LOOPBACK says that those may look."""
    if not settings.AFN_TRUST_LOOPBACK or any(map(_FORWARDED.fullmatch, request.META)):
        return False
    return bool(_LOOPBACK.fullmatch(request.META.get("REMOTE_ADDR", "")))


def may_see_figures(request: HttpRequest) -> bool:
    """False also while the database cannot say who it is."""
    if has_metrics_token(request) or is_trusted_here(request):
        return True
    try:
        if token := bearer(request):
            key = ApiKey.objects.by_secret(token)
            return key is not None and key.allows(Scope.READ) and key.user.has_perm(PERMISSION)
        user = getattr(request, "user", None)
        return user is not None and user.is_staff and user.has_perm(PERMISSION)
    except (DatabaseError, InterfaceError):
        return False


def bearer(request: HttpRequest) -> str:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
