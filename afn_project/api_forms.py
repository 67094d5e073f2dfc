"""What errors look like: AFN's ``{"detail"}``, below ``/api/public`` Langfuse's ``{"message", "error"}``.

Langfuse's clients know no 422: what AFN answers with it is a 400 there.
"""

from http import HTTPStatus
from typing import Any, Final

_PUBLIC: Final = "/api/public"
# The names that Langfuse's server gives its errors; its clients show them.
_NAMES: Final = {
    400: "InvalidRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "LangfuseNotFoundError",
    405: "MethodNotAllowedError",
    409: "LangfuseConflictError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}


def is_public(path: str) -> bool:
    """Does a client of Langfuse ask there?"""
    return path == _PUBLIC or path.startswith(f"{_PUBLIC}/")


def form(path: str, status: int, detail: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of an error at `path`; `detail` is a text, or a list of ``{"field", "msg"}``."""
    if not is_public(path):
        return status, {"detail": detail}
    status = 400 if status == 422 else status
    return status, {"message": _text(detail), "error": _NAMES.get(status) or HTTPStatus(status).phrase}


def _text(detail: Any) -> str:
    if isinstance(detail, str):
        return detail
    return "; ".join(f"{one['field']}: {one['msg']}" if "field" in one else str(one["msg"]) for one in detail)
