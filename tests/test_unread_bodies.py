"""A body that nobody looked at is read before the answer goes, so that the connection outlives it."""

from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings

from afn_project.unread_bodies import UnreadBodyMiddleware

LIMIT = 200_000


@pytest.fixture(autouse=True)
def _limit(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def left_of(stream: Any, length: object, view: Any = lambda request: HttpResponse(status=401)) -> int:
    """Bytes that are still unread once the answer is there."""
    request: HttpRequest = WSGIRequest(
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(length), "wsgi.input": stream}
    )
    assert UnreadBodyMiddleware(view)(request).status_code == 401
    return len(stream.read())


def test_a_body_of_allowed_size_is_read_and_not_a_byte_more() -> None:
    next_request = b"POST / HTTP/1.1"
    assert left_of(BytesIO(b"x" * LIMIT + next_request), LIMIT) == len(next_request)


def test_a_larger_one_is_left_alone() -> None:
    assert left_of(BytesIO(b"x" * (LIMIT + 1)), LIMIT + 1) == LIMIT + 1


@pytest.mark.parametrize("length", ["", "many", 0])
def test_without_a_length_nothing_is_waited_for(length: object) -> None:
    assert left_of(BytesIO(b"x"), length) == 1


def test_a_body_that_the_view_has_read_is_no_trouble() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        assert request.body == b"x" * 10
        return HttpResponse(status=401)

    assert left_of(BytesIO(b"x" * 10), 10, view) == 0


def test_a_client_that_has_gone_gets_no_error() -> None:
    class Gone(BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError("reset")

    request = WSGIRequest({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "10", "wsgi.input": Gone()})
    assert UnreadBodyMiddleware(lambda request: HttpResponse())(request).status_code == 200
