"""What is said where the database goes away in the middle of a request."""

from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from afn_project import database_errors
from afn_project.database_errors import DatabaseErrorsMiddleware, answer
from afn_project.libsql.errors import ConnectionLost, OutcomeUnknown, ServerError


@pytest.mark.parametrize(
    ("writes", "error", "expected"),
    [
        (0, ConnectionLost("no answer"), 0),
        (1, ConnectionLost("no answer"), 1),  # stored, and not read again for the answer
        (0, OutcomeUnknown("no answer"), 1),
    ],
)
@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/api/v1/prompts", ("nothing was changed", "stored or not")),
        ("/admin/", ("Nothing was saved", "It may have been saved, or not")),
    ],
)
def test_only_where_nothing_was_kept_is_it_said_so(
    writes: int,
    error: ServerError,
    expected: int,
    path: str,
    texts: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    rf: RequestFactory,
) -> None:
    driver = SimpleNamespace(stored=7)
    opened = SimpleNamespace(connection=SimpleNamespace(driver=driver))
    monkeypatch.setattr(database_errors, "connection", opened)

    def view(request: HttpRequest) -> HttpResponse:
        driver.stored += writes
        return answer(request, error)

    response = DatabaseErrorsMiddleware(view)(rf.post(path))
    assert response.status_code == 503
    assert isinstance(response, HttpResponse)
    assert texts[expected] in response.content.decode()


def test_what_a_read_notes_of_itself_is_nothing_to_look_for(
    monkeypatch: pytest.MonkeyPatch, rf: RequestFactory
) -> None:
    driver = SimpleNamespace(stored=7)
    opened = SimpleNamespace(connection=SimpleNamespace(driver=driver))
    monkeypatch.setattr(database_errors, "connection", opened)

    def view(request: HttpRequest) -> HttpResponse:
        driver.stored += 1  # when its key was last used
        return answer(request, ConnectionLost("no answer"))

    response = DatabaseErrorsMiddleware(view)(rf.get("/api/v1/prompts"))
    assert isinstance(response, HttpResponse)
    assert "nothing was changed" in response.content.decode()
