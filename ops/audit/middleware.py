"""Tells the audit log which request a change belongs to."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .context import of_request


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with of_request(request):
            return self.get_response(request)
