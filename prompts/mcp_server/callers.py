"""Who calls: somebody of whom the wiring knows whether they may do what they ask for."""

from typing import Protocol

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from ..models import User


class Caller(Protocol):
    def admit(self, permission: str) -> User | AnonymousUser:
        """The user, if they have this permission of Django's now (``READING`` is none). Raises what the
        wiring answers with 401 or 403.
        """
        ...


def request_of(user: User | AnonymousUser) -> HttpRequest:
    """What the operations of the REST API want to know of a request, where there is none of theirs."""
    request = HttpRequest()
    request.user = user
    return request
