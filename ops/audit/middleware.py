"""Tells the audit log which request a change belongs to, and the caller which id it has there."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .context import REQUEST_ID, of_request


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with of_request(request) as origin:
            response = self.get_response(request)
            if origin.is_recorded:
                response[REQUEST_ID] = origin.request_id
        return response
