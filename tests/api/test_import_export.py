"""Lines of JSON in and out."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from prompts.models import ApiKey, User
from tests.api.conftest import V1, Api, bearer, problems
from vectors import api_files

NOTES = "/vectors/collections/notes"
LINES = [
    {"key": "a/1", "text": "A red fox.", "title": "Fox", "metadata": {"lang": "en"}},
    {"key": "狐", "text": "赤い\n狐", "title": "", "metadata": {}},
]


def as_lines(*values: Any) -> bytes:
    return b"".join(
        value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n" for value in values
    )


def send(api: Api, body: bytes, name: str = "notes") -> HttpResponse:
    return api.client.post(
        f"{V1}/vectors/collections/{name}/import",
        body,
        content_type="application/x-ndjson",
        headers=api.headers,
    )


def received(response: Any) -> list[dict[str, Any]]:
    assert response.streaming
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def cut_off(body: bytes, *, length: int) -> dict[str, Any]:
    """What a server passes on of a request whose connection broke: less than its Content-Length says."""
    return {
        "content_type": "application/x-ndjson",
        "CONTENT_LENGTH": str(length),
        "wsgi.input": BytesIO(body),
    }


@pytest.fixture
def notes(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "notes"})
    return api


def test_what_goes_in_comes_out(notes: Api) -> None:
    answer = send(notes, as_lines(*LINES))
    assert (answer.status_code, answer.json()) == (
        200,
        {"inserted": 2, "updated": 0, "unchanged": 0, "refused": 0, "problems": []},
    )
    assert received(notes.get(f"{NOTES}/export")) == LINES
    assert send(notes, as_lines(*LINES)).json()["unchanged"] == 2


def test_vectors_come_where_they_are_asked_for(notes: Api) -> None:
    send(notes, as_lines(*LINES))
    rows = received(notes.get(f"{NOTES}/export", vectors="true", format="jsonl"))
    assert all(len(row["vector"]) == 64 for row in rows)
    notes.post("/vectors/collections", {"name": "twin", "embedder": "", "dimensions": 64})
    assert send(notes, as_lines(*rows), "twin").json()["inserted"] == 2


def test_bad_lines_are_reported_by_number(notes: Api) -> None:
    body = as_lines(
        LINES[0], b"{\n", b"\n", {"key": "k"}, b"\xff\n", {**LINES[1], "colour": 1}, b"NaN\n", LINES[1]
    )
    answer = send(notes, body).json()
    assert (answer["inserted"], answer["refused"]) == (2, 5)
    assert [(one["line"], one["field"]) for one in answer["problems"]] == [
        *((2, "line"), (4, "text"), (5, "line"), (6, "item"), (7, "line")),
    ]


def test_the_problems_are_a_hundred_at_most(notes: Api) -> None:
    answer = send(notes, b"{\n" * 5_000).json()
    assert (answer["refused"], len(answer["problems"])) == (5_000, 100)


def test_more_than_a_body_may_hold_is_read_as_it_comes(notes: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = send(notes, as_lines(*({"key": f"k{at}", "text": f"text {at}"} for at in range(1_200))))
    assert answer.json()["inserted"] == 1_200
    assert len(received(notes.get(f"{NOTES}/export"))) == 1_200


def test_a_line_without_end_is_refused(notes: Api) -> None:
    response = send(notes, b'{"key": "' + b"x" * 16_000_001)
    assert (response.status_code, list(problems(response))) == (422, ["body"])


def test_a_broken_export_does_not_look_whole(notes: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: object, **__: object) -> Iterator[str]:
        yield '{"key": "a"}\n'
        raise OperationalError("no such table")

    monkeypatch.setattr(api_files, "export_lines", breaking)
    seen = []
    with pytest.raises(OperationalError):
        seen.extend(notes.get(f"{NOTES}/export").streaming_content)
    assert list(json.loads(seen[-1])) == ["detail"]
    assert "table" not in seen[-1].decode()
    assert send(notes, b"".join(seen)).json()["refused"] == 2


@pytest.mark.parametrize("lines", [as_lines(*LINES), as_lines(*LINES)[:-9], b""])
def test_an_import_that_was_cut_off_is_no_success(notes: Api, lines: bytes) -> None:
    response = notes.client.post(f"{V1}{NOTES}/import", headers=notes.headers, **cut_off(lines, length=1_000))
    assert (response.status_code, list(problems(response))) == (422, ["body"])


def test_a_form_is_no_lines(notes: Api) -> None:
    response = notes.client.post(f"{V1}{NOTES}/import", {"file": "x"}, headers=notes.headers)
    assert response.status_code == 415


def test_a_line_in_which_a_member_comes_twice_is_refused(notes: Api) -> None:
    [problem] = send(notes, b'{"key": "a", "text": "x", "metadata": {"n": 1, "n": 2}}').json()["problems"]
    assert problem["got"] == "'n' twice"


def test_true_is_no_number_of_a_vector(notes: Api) -> None:
    numbers = [1.0] * 63
    report = send(notes, as_lines({"key": "a", "text": "x", "vector": [*numbers, True]})).json()
    assert [one["field"] for one in report["problems"]] == ["vector"]
    assert send(notes, as_lines({"key": "a", "text": "x", "vector": [*numbers, 1]})).json()["inserted"] == 1


def test_an_empty_body_imports_nothing(notes: Api) -> None:
    assert send(notes, b"").json()["inserted"] == 0


@pytest.mark.parametrize("query", [{"format": "csv"}, {"vectors": "perhaps"}, {"vector": "true"}])
def test_a_wrong_query_is_refused_by_name(notes: Api, query: dict[str, str]) -> None:
    response = notes.get(f"{NOTES}/export", **query)
    assert (response.status_code, list(problems(response))) == (422, list(query))


def test_who_may_do_it(notes: Api, user: User) -> None:
    reader = Api(bearer(ApiKey.issue(user, "reader", ["read"])[1]))
    assert reader.get(f"{NOTES}/export").status_code == 200
    assert send(reader, as_lines(*LINES)).status_code == 403
    writer = Api(bearer(ApiKey.issue(user, "writer", ["write"])[1]))
    assert writer.get(f"{NOTES}/export").status_code == 403
    assert Api().get(f"{NOTES}/export").status_code == 401
    assert send(Api(), as_lines(*LINES)).status_code == 401
    assert notes.get("/vectors/collections/none/export").status_code == 404
    assert send(notes, b"", "none").status_code == 404
    assert send(notes, as_lines(*LINES), "prompts").status_code == 409
    user.user_permissions.clear()
    assert send(notes, as_lines(*LINES)).status_code == 403
