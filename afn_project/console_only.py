"""Middleware of the console that requests with credentials of the API go past.

Sessions, their users and messages mean nothing to a request that says itself who sends it, and cost it
a third of its time (docs/adr/0002-short-chain-for-the-api.md).
"""

from django.contrib.auth.middleware import AuthenticationMiddleware as Authentication
from django.contrib.messages.middleware import MessageMiddleware as Message
from django.contrib.sessions.middleware import SessionMiddleware as Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase


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
