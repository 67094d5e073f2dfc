import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from prompts.models import Prompt
from tests.api.conftest import V1, Api, problems

NEW = {"name": "one", "title": "One", "content": "x"}


def is_json_error(response: Any, status: int) -> bool:
    is_json = response["Content-Type"].startswith("application/json")
    return response.status_code == status and is_json and bool(response.json()["detail"])


@pytest.mark.parametrize(
    "path", ["/api/none", "/api/v1/prompts/", "/api/v2/prompts", "/api/v1/a%0Ab", "/api/%00"]
)
def test_unknown_paths_are_json_404(client: Client, path: str) -> None:
    assert is_json_error(client.get(path), 404)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/"])
def test_the_root_leads_to_the_documentation(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == "/api/v1/docs"


def test_unknown_paths_are_json_404_with_debug_on_too(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert is_json_error(client.get("/api/v1/none"), 404)


def test_pages_outside_the_api_keep_their_errors(client: Client, db: None) -> None:
    assert client.get("/none")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/prompts"),
        ("delete", "/prompts"),
        ("get", "/vectors/collections/a/items"),
        ("post", "/search"),
    ],
)
def test_a_wrong_method_is_json_405(api: Api, method: str, path: str) -> None:
    response = getattr(api.client, method)(V1 + path, headers=api.headers)
    assert is_json_error(response, 405)
    assert response["Allow"]


def test_a_wrong_host_is_json_400(client: Client) -> None:
    assert is_json_error(client.get("/api/v1/prompts", headers={"Host": "evil.example"}), 400)


@pytest.mark.parametrize(
    "body", [b"{", b"", b"nul", b'{"name": "\xff"}', b'{"a": ' + b"1" * 5_000 + b"}", b"\x00", b'"\x00"']
)
def test_malformed_json_is_refused(api: Api, body: bytes) -> None:
    response = api.post("/prompts", body)
    assert response.status_code in (400, 422)
    assert response.json()["detail"]


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b"true"])
def test_json_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    assert is_json_error(api.post("/prompts", body), 422)


@pytest.mark.parametrize("depth", [100, 500, 900, 1_000, 3_000, 100_000])
@pytest.mark.parametrize("shape", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_deep_json_is_refused(api: Api, depth: int, shape: tuple[bytes, bytes]) -> None:
    deep = shape[0] * depth + b"1" + shape[1] * depth
    body = b'{"name": "one", "title": "One", "content": "x", "metadata": {"a": %s}}' % deep
    assert is_json_error(api.post("/prompts", body), 422)
    assert not Prompt.objects.exists()


def test_a_body_of_10_mb_is_refused_at_once(api: Api) -> None:
    body = b'{"content": "' + b"x" * 10_000_000 + b'"}'
    started = time.perf_counter()
    response = api.post("/prompts", body)
    assert is_json_error(response, 413)
    assert time.perf_counter() - started < 1


def test_a_chunked_body_is_refused_and_not_taken_for_empty(api: Api) -> None:
    response = api.client.generic(
        "POST", V1 + "/prompts", b"", headers=api.headers | {"Transfer-Encoding": "chunked"}
    )
    assert is_json_error(response, 411)


def test_a_packed_body_is_refused_as_such(api: Api) -> None:
    body = gzip.compress(json.dumps(NEW).encode())
    assert is_json_error(api.post("/prompts", body, **{"Content-Encoding": "gzip"}), 415)
    assert api.post("/prompts", NEW, **{"Content-Encoding": "identity"}).status_code == 201


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b'{"filter": {"n": 1, "m": 1, "n": 2}}'])
def test_a_member_that_comes_twice_is_refused(api: Api, body: bytes) -> None:
    api.post("/vectors/collections", {"name": "notes"})
    response = api.post("/vectors/collections/notes/delete", body)
    assert response.status_code == 422
    assert "twice" in problems(response)["body"]


def test_a_form_is_no_json(api: Api) -> None:
    response = api.client.post(V1 + "/prompts", NEW, headers=api.headers)  # multipart
    assert is_json_error(response, 400)


def test_a_form_with_a_session_is_no_json(db: None, django_user_model: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_superuser("root", "root@example.com", "x"))
    client.cookies["csrftoken"] = "a" * 32
    for body in (NEW | {"csrfmiddlewaretoken": "a" * 32}, NEW):
        response = client.post(V1 + "/prompts", body)
        assert response["Content-Type"].startswith("application/json")
        assert response.status_code in (400, 403, 415)
    broken = client.post(V1 + "/prompts", b"x", content_type="multipart/form-data")
    assert broken.status_code in (400, 403)


def test_what_the_caller_sent_is_not_echoed(api: Api) -> None:
    response = api.post("/prompts", NEW | {"title": {"secret": "sk-afn-hidden"}, "metadata": "sk-afn-hidden"})
    assert response.status_code == 422
    assert "hidden" not in response.content.decode()


def test_many_problems_are_cut_short(api: Api) -> None:
    response = api.post("/prompts", NEW | {"tags": [1] * 1_000})
    assert len(response.json()["detail"]) == 20


def test_a_name_with_a_lone_surrogate_is_refused(api: Api) -> None:
    api.post("/vectors/collections", {"name": "notes"})
    item = b'{"key": "k", "text": "t", "metadata": {"\\ud800": 1}}'
    response = api.put("/vectors/collections/notes/items", b'{"items": [%s]}' % item)
    assert response.status_code == 422
    assert "surrogate" in problems(response)["items[0].metadata name"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (IntegrityError("UNIQUE constraint failed: prompts.name"), 409),
        (OperationalError("database is locked"), 503),
        (OperationalError("database or disk is full"), 507),
        (RecursionError(), 422),
        (ZeroDivisionError("inner detail"), 500),
    ],
)
def test_failures_below_are_told_without_their_text(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Prompt, "save", fail)
    response = api.post("/prompts", NEW)
    assert is_json_error(response, status)
    assert str(error) == "" or str(error) not in response.content.decode()


def test_two_writers_of_the_same_items_are_a_conflict(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from vectors import store
    from vectors.errors import StaleBatch

    def fail(*_: object) -> None:
        raise StaleBatch("items", "the content met by prepare()", "a changed row")

    api.post("/vectors/collections", {"name": "notes"})
    monkeypatch.setattr(store, "upsert", fail)
    assert is_json_error(api.put("/vectors/collections/notes/items", {"items": []}), 409)


PATHS: list[Callable[[str], str]] = [
    lambda text: f"/prompts/{text}",
    lambda text: f"/prompts/by-name/{text}",
    lambda text: f"/prompts/{text}/versions",
    lambda text: f"/prompts/{text}/evaluations",
    lambda text: f"/vectors/collections/{text}",
    lambda text: f"/vectors/collections/prompts/items/{text}",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "text", ["%00", "%ED%A0%80", "%FF", "'", "%27%20OR%201=1", "..%2F..", "%0A", "x" * 3_000]
)
def test_no_path_breaks_the_server(api: Api, path: Callable[[str], str], text: str) -> None:
    response = api.get(path(text))
    assert response.status_code in (404, 422)
    assert response.json()["detail"]


@pytest.mark.parametrize("moment", ["1700000000", "99999999999999", "now", "2026-05-01T09:30:00", "-1"])
def test_moments_are_written_out_with_a_time_zone(api: Api, make: Callable[..., Prompt], moment: str) -> None:
    make("a")
    response = api.get("/prompts/a", label="latest", at=moment)
    assert response.status_code == 422
    wanted = "a date and time with a time zone, such as 2026-05-01T09:30:00Z"
    assert problems(response) == {"at": f"Expected {wanted}, got {moment!r}"}


def test_numbers_of_an_address_are_told_as_they_came(api: Api) -> None:
    assert problems(api.get("/prompts", limit=0)) == {"limit": "Expected a number from 1 on, got 0"}
    assert problems(api.get("/prompts", limit="x")) == {"limit": "Expected a whole number, got 'x'"}


def test_texts_that_came_are_not_repeated(api: Api) -> None:
    """A secret may stand in the wrong place."""
    response = api.post("/prompts/a/evaluations", {"score": "sk-afn-secret"})
    assert problems(response) == {"score": "Expected a number, got a text of 13 characters"}


def test_each_problem_is_told_once(api: Api) -> None:
    response = api.post("/prompts", {"name": "x" * 256, "title": "T", "content": "x"})
    assert response.json()["detail"] == [
        {"field": "name", "msg": "Expected at most 255 characters, got 256."}
    ]
