"""Content-Security-Policy: what a page may load and run, whatever somebody manages to write into it.

Nothing comes from other hosts, and no script stands in a page. The console's scripts (Alpine) evaluate their
attributes, and its pages set styles; the API's own page sets styles; all else is data, and may do nothing.
"""

from collections.abc import Callable, Iterable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_NAME: Final = "Content-Security-Policy"
_PAGE: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; script-src 'self'"
)
CONSOLE: Final = f"{_PAGE} 'unsafe-eval'"
API_DOCS: Final = _PAGE
DATA: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class ContentSecurityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if _NAME not in response.headers:
            response.headers[_NAME] = policy_of(request.path_info)
        return response


def policy_of(path: str, docs: Iterable[str] = ("/api/v1/docs", "/api/public/docs")) -> str:
    if path.startswith("/admin/"):
        return CONSOLE
    return API_DOCS if path in docs else DATA
