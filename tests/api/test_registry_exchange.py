"""The whole registry over HTTP: lines out, lines in."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse

from prompts.api import exchange
from prompts.labels import move_label
from prompts.models import ApiKey, Evaluation, Prompt, User
from tests.api.conftest import V1, Api, bearer
from tests.prompts.exchange.registries import clear, everything


def send(api: Api, body: bytes, **query: Any) -> HttpResponse:
    path = f"{V1}/import" + (
        "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""
    )
    return api.client.post(path, body, content_type="application/x-ndjson", headers=api.headers)


def received(response: Any) -> bytes:
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Type"] == "application/x-ndjson"
    return b"".join(response.streaming_content)


def counts(response: HttpResponse) -> tuple[int, int, int, int]:
    assert response.status_code == 200, response.content
    found = response.json()
    return found["created"], found["updated"], found["unchanged"], found["refused"]


@pytest.fixture
def registry(make: Any) -> None:
    prompt = make("a/p", "one", tags=["t"])
    prompt.content = "two"
    prompt.save(index=False)
    move_label(prompt, "production", 1, actor=prompt.user)
    Evaluation.objects.create(prompt=prompt, version=prompt.versions.get(version=1), score=0.5)
    make("b", "other")


@pytest.mark.usefixtures("registry")
def test_what_goes_out_comes_in(api: Api) -> None:
    before = everything()
    body = received(api.get("/export"))
    assert counts(send(api, body, strict=True)) == (0, 0, 2, 0)
    clear()
    assert counts(send(api, body, dry_run=True)) == (2, 0, 0, 0)
    assert not Prompt.objects.exists()
    assert counts(send(api, body)) == (2, 0, 0, 0)
    assert everything() == before
    assert api.get("/search", q="one", mode="keyword").status_code == 200


@pytest.mark.usefixtures("registry")
def test_an_export_is_narrowed(api: Api) -> None:
    def names(**query: Any) -> list[tuple[str, int]]:
        lines = received(api.get("/export", **query)).splitlines()
        return [(line["name"], len(line["versions"])) for line in map(json.loads, lines)]

    assert names() == [("a/p", 2), ("b", 1)]
    assert names(folder="a") == names(tag="t") == names(label="production") == [("a/p", 2)]
    assert names(label="production", history=False) == [("a/p", 1)]
    assert api.get("/export", format="csv").status_code == 422


@pytest.mark.usefixtures("registry")
def test_addresses_are_for_those_who_may_view_users(api: Api, user: User) -> None:
    may_view = Permission.objects.get(codename="view_user", content_type__app_label="prompts")
    user.user_permissions.remove(may_view)
    body = received(api.get("/export"))
    assert b"@" not in body
    assert b'"name":"aoi"' in body
    before = everything()
    clear()
    assert counts(send(api, body)) == (2, 0, 0, 0)
    assert everything() == before
    user.user_permissions.add(may_view)
    _, secret = ApiKey.issue(user, "another", ["read"])
    assert b"aoi@example.com" in received(Api(bearer(secret)).get("/export"))


@pytest.mark.parametrize(
    "codename", ["change_others_prompts", "move_protected_label", "add_evaluation", "add_prompt"]
)
def test_an_import_takes_every_permission(api: Api, user: User, codename: str) -> None:
    user.user_permissions.remove(Permission.objects.get(codename=codename, content_type__app_label="prompts"))
    answer = send(api, b'{"name": "p", "versions": [{"number": 1, "content": "x"}]}\n')
    assert (answer.status_code, codename in str(answer.json())) == (403, True)
    assert not Prompt.objects.exists()


def test_a_key_that_reads_may_not_write(user: User, key: Any) -> None:
    _, secret = ApiKey.issue(user, "reader", ["read"])
    assert send(Api(bearer(secret)), b"{}").status_code == 403
    assert Api(bearer(secret)).get("/export").status_code == 200


def test_a_conflict_is_told_by_its_line(api: Api, make: Any) -> None:
    make("p", "one")
    lines = [{"name": name, "versions": [{"number": 1, "content": "x"}]} for name in ("q", "p")]
    answer = send(api, b"\n".join(json.dumps(line).encode() for line in lines))
    assert counts(answer) == (1, 0, 0, 1)
    assert answer.json()["problems"] == [
        {
            "line": 2,
            "field": "versions.1",
            "expected": "what version 1 of p holds here",
            "got": "something else",
        }
    ]


def test_half_a_body_is_not_imported(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"name": "p", "versions": [{"number": 1, "content": "x"}]}\n'
    answer = api.client.generic(
        "POST", f"{V1}/import", headers=api.headers,
        **{"content_type": "application/x-ndjson", "CONTENT_LENGTH": "9999", "wsgi.input": BytesIO(body)},
    )  # fmt: skip
    assert answer.status_code == 422
    monkeypatch.setattr(exchange, "MAX_BODY", 10)
    assert send(api, body).status_code == 422
    assert send(api, b"").status_code == 422
    assert not Prompt.objects.exists()
    form = api.client.post(f"{V1}/import", {"file": BytesIO(body)}, headers=api.headers)
    assert form.status_code == 415


@pytest.mark.usefixtures("registry")
def test_an_export_that_breaks_off_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(*arguments: Any, **options: Any) -> Any:
        yield '{"name":"p","versions":[{"number":1,"content":"x"}]}\n'
        raise OSError("gone")

    monkeypatch.setattr(exchange, "export_lines", lines)
    got: list[bytes] = []
    with pytest.raises(OSError, match="gone"):
        got.extend(api.get("/export").streaming_content)  # type: ignore[attr-defined]
    assert b"broke off" in got[-1]
    assert counts(send(api, b"".join(got))) == (1, 0, 0, 1)
