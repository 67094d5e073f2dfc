"""HEAD below `/api/v1` is answered as GET, headers and all, without the body (RFC 9110, 9.3.2)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_PREFIX = "/api/v1/"


class HeadMiddleware:
    """Stands before what answers from memory, and asks all that comes after it for a GET."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_PREFIX):
            return self.get_response(request)
        if request.method != "HEAD":
            return _allowing(self.get_response(request))
        request.method = request.META["REQUEST_METHOD"] = "GET"
        try:
            response = self.get_response(request)
        finally:
            request.method = request.META["REQUEST_METHOD"] = "HEAD"
        return _bare(_allowing(response))


def _allowing(response: HttpResponseBase) -> HttpResponseBase:
    """A path that takes GET takes HEAD as well."""
    methods = response.headers.get("Allow", "").split(", ")
    if "GET" in methods and "HEAD" not in methods:
        response.headers["Allow"] = ", ".join(sorted([*methods, "HEAD"]))
    return response


def _bare(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponse):
        if response.status_code not in (204, 304):  # which have no length to tell of (RFC 9110, 8.6)
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
        return response
    # A stream: what has not begun need not be read; its length is not known, as with GET.
    bare = HttpResponse(status=response.status_code, headers=dict(response.headers))
    response.close()
    return bare
