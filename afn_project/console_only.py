"""Middleware of the console that the API goes past.

Where a request has credentials of the API, sessions, their users and messages mean nothing to it, and cost
it a third of its time (docs/adr/0002-short-chain-for-the-api.md).
"""

from collections.abc import Callable
from typing import Final

from django.contrib.auth.middleware import AuthenticationMiddleware as Authentication
from django.contrib.messages.middleware import MessageMiddleware as Message
from django.contrib.sessions.middleware import SessionMiddleware as Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware as GZip
from django.utils import translation
from django.utils.cache import patch_vary_headers

CONSOLE: Final = "/admin/"


def has_credentials(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" in request.META and request.path_info.startswith("/api/")


class _ConsoleOnly:
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_credentials(request):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_ConsoleOnly, Session):
    pass


class AuthenticationMiddleware(_ConsoleOnly, Authentication):
    pass


class MessageMiddleware(_ConsoleOnly, Message):
    pass


class GZipMiddleware(GZip):
    """Pages of the console; what the API answers is small, and much of it kept ready."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path_info.startswith(CONSOLE):
            return response
        return super().process_response(request, response)


class LocaleMiddleware:
    """The reader's language, by choice or by browser: for pages. The API speaks English, whoever asks.

    Unlike Django's it leaves no language behind in the thread, which may answer the API next.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(CONSOLE):
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            request.LANGUAGE_CODE = language = translation.get_language()
            response = self.get_response(request)
            patch_vary_headers(response, ("Accept-Language",))
            response.headers.setdefault("Content-Language", language)
            return response
