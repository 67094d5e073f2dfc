"""Whatever comes, the answer has Langfuse's form, and AFN's own API keeps its own."""

import json
import tomllib
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from afn_project.env import BASE_DIR
from afn_project.langfuse_api import api
from afn_project.libsql.errors import ServerError, WritesBlocked
from prompts.langfuse import listing, projects
from prompts.models import Prompt, User
from tests.api.conftest import basic, bearer
from vectors.permissions import needed_permission

from .conftest import Langfuse, client_of, problem


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("sk-afn-x"),
        basic("pk-afn-x", "sk"),
        {"Authorization": "Basic !"},
        basic("\0", "x"),
        basic("", ""),
    ],
)
def test_without_a_key_pair_nothing_is_told(db: None, headers: dict[str, str]) -> None:
    response = Langfuse(headers).get("/projects")
    assert problem(response, 401)
    assert response["WWW-Authenticate"] == 'Basic realm="AFN"'


def test_a_secret_alone_and_a_session_are_not_enough(
    langfuse: Langfuse, user: User, settings: Settings
) -> None:
    settings.AFN_PUBLIC_READ = True
    client = Langfuse()
    client.client.force_login(user)
    problem(client.get("/v2/prompts"), 401)
    from prompts.models import ApiKey

    problem(Langfuse(bearer(ApiKey.issue(user, "x", ["read"])[1])).get("/v2/prompts"), 401)


def test_who_asks_first_is_told_the_project(langfuse: Langfuse) -> None:
    (project,) = langfuse.get("/projects").json()["data"]
    assert project == {
        "id": "afn",
        "name": "AFN",
        "organization": {"id": "afn", "name": "AFN"},
        "metadata": {},
    }


def test_health_needs_no_key_and_names_the_version(db: None) -> None:
    assert Langfuse().get("/health").json() == {"status": "OK", "version": projects.VERSION}
    assert tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"] == projects.VERSION


@pytest.mark.parametrize("path", ["/", "/nothing", "/v2/prompts/", "/v1/traces", "/scores/", "/docs"])
def test_an_unknown_path_is_404_in_the_same_form(db: None, path: str) -> None:
    response = Langfuse().get(path)
    problem(response, response.status_code)
    assert response.status_code in (404, 405)


def test_another_method_is_405(langfuse: Langfuse) -> None:
    response = langfuse.client.put(
        "/api/public/v2/prompts", b"{}", "application/json", headers=langfuse.headers
    )
    assert "GET" in problem(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


BAD_BODIES = [
    *(b"", b"{", b"\xff\xfe", b"null", b"1", b'"x"', b"[" * 10_000, b'{"a":' * 10_000),
    *(b"[" * 10_000 + b"]" * 10_000, b'{"name": NaN}', b'{"name": 1e999}', b'{"a": 1, "a": 2}', b"9" * 5_000),
    *(b'{"name": "\\ud800"}', b'{"\\ud800": 1}', b"\xef\xbb\xbf{}"),
]


@pytest.mark.parametrize("path", ["/v2/prompts", "/scores", "/ingestion"])
@pytest.mark.parametrize("body", BAD_BODIES)
def test_bad_bodies_are_400(langfuse: Langfuse, path: str, body: bytes) -> None:
    problem(langfuse.post(path, body), 400)


PROMPT: dict[str, Any] = {"name": "a", "prompt": "x"}


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"x": found}
    return found


BAD: dict[str, list[Any]] = {
    "name": [None, 1, "", " ", "a|b", "a\0", "/a", "a//b", "a/", "x" * 256, "a\nb", [], {}],
    "prompt": [
        None, 1, "", " ", "\0", "\ud800", {}, True, "x" * 1_000_001, "@@@langfusePrompt:name=a@@@",
        "@@@langfusePrompt:name=a|label=latest@@@",
    ],
    "type": [None, 1, "TEXT", "", []],
    "config": [1, "x", [], {"a": "\0"}, {"a": 2**70}, {"a": "x" * 70_000}, deep(20), deep(500)],
    "labels": ["x", [1], [""], ["A"], ["x" * 37], ["a b"], [None], ["\0"], ["x"] * 21, {}],
    "tags": ["x", [1], [""], ["x" * 65], ["\0"], [str(at) for at in range(51)], {}],
    "commitMessage": [1, "\0", "x" * 10_001, []],
}  # fmt: skip
BAD_CHATS: list[Any] = [
    *([], [1], [None], [{}], [[]], [{"role": "user"}], [{"type": "placeholder"}]),
    *([{"role": 1, "content": "x"}], [{"role": "", "content": "x"}], [{"role": "user", "content": None}]),
    *([{"role": "user", "content": "\0"}], [{"type": "placeholder", "name": "1 x"}]),
    *([{"type": "other", "name": "x"}], [{"role": "user", "content": "x"}] * 501),
    [{"role": "user", "content": "x", "tool_calls": []}],
]


@pytest.mark.parametrize(
    "change",
    [{name: value} for name, values in BAD.items() for value in values]
    + [{"type": "chat", "prompt": chat} for chat in BAD_CHATS],
    ids=lambda change: repr(change)[:60].encode("ascii", "replace").decode(),
)
def test_every_member_of_a_prompt_is_checked(langfuse: Langfuse, change: dict[str, Any]) -> None:
    problem(langfuse.post("/v2/prompts", json.dumps(PROMPT | change)), 400)
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("missing", ["name", "prompt"])
def test_members_that_are_needed_are_named(langfuse: Langfuse, missing: str) -> None:
    body = {name: value for name, value in PROMPT.items() if name != missing}
    assert problem(langfuse.post("/v2/prompts", body), 400) == f"{missing}: Expected a value, got nothing"


def test_5_megabytes_and_more_are_too_large(langfuse: Langfuse, settings: Settings) -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 5_000_000
    body = json.dumps(PROMPT | {"prompt": "x" * 4_999_000}).encode()
    problem(langfuse.post("/v2/prompts", body), 400)
    for path in ("/v2/prompts", "/scores", "/ingestion", "/otel/v1/traces"):
        problem(langfuse.post(path, b" " * 5_000_001), 413)


def test_a_form_is_no_json(langfuse: Langfuse) -> None:
    problem(langfuse.post("/v2/prompts", b"name=a", "application/x-www-form-urlencoded"), 400)
    problem(langfuse.post("/v2/prompts", {"name": "a"}, "multipart/form-data; boundary=x"), 400)


def test_a_host_that_is_not_served_is_400(langfuse: Langfuse, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["afn.example"]
    problem(langfuse.get("/projects"), 400)


def test_chunks_are_411(langfuse: Langfuse) -> None:
    response = langfuse.client.post(
        "/api/public/scores",
        b"",
        "application/json",
        headers=langfuse.headers,
        HTTP_TRANSFER_ENCODING="chunked",
    )
    # The test client sends a length of 0 along, which is none.
    assert response.status_code in (400, 411)
    problem(response, response.status_code)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("database is locked"), 503),
        (ServerError("http://10.0.0.1 does not answer"), 503),
        (WritesBlocked("backup"), 423),
        (ValueError("a secret"), 500),
        (RecursionError(), 400),
    ],
)
def test_what_goes_wrong_inside_has_the_same_form(
    langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(query: Any) -> None:
        raise error

    monkeypatch.setattr(listing, "page", fail)
    response = langfuse.get("/v2/prompts")
    message = problem(response, status)
    assert "10.0.0.1" not in message
    assert "secret" not in message
    assert ("Retry-After" in response) == (status == 503)


def test_the_other_api_keeps_its_form(db: None) -> None:
    client = Client()
    for path in ("/api/v1/prompts", "/api/v1/nothing", "/api/publicity"):
        assert set(client.get(path).json()) == {"detail"}


def test_every_operation_is_described(client: Client) -> None:
    schema = json.loads(client.get("/api/public/openapi.json").content)
    found = {
        f"{method.upper()} {path.removeprefix('/api/public')}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    assert sorted(found) == [
        "DELETE /scores/{id}",
        "DELETE /v2/prompts/{name}",
        "GET /health",
        "GET /projects",
        "GET /scores",
        "GET /v2/prompts",
        "GET /v2/prompts/{name}",
        "GET /v2/scores",
        "GET /v2/scores/{id}",
        "GET /v3/scores",
        "PATCH /v2/prompts/{name}/versions/{version}",
        "POST /ingestion",
        "POST /otel/v1/traces",
        "POST /scores",
        "POST /v2/prompts",
    ]
    for name, operation in found.items():
        assert operation["description"], name
        if name != "GET /health":
            assert operation["security"] == [{"ApiKeyPair": []}], name
            content = operation["responses"]["400"]["content"]["application/json"]
            assert content["schema"]["$ref"].endswith("/ErrorOut"), name


def test_every_operation_that_changes_something_declares_a_permission(rf: Any) -> None:
    seen: list[str] = []

    class Stop(Exception):
        pass

    def stop(request: Any) -> None:
        seen.append(needed_permission(request))
        raise Stop

    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                callbacks, operation.auth_callbacks = operation.auth_callbacks, [stop]
                try:
                    operation.run(getattr(rf, operation.methods[0].lower())("/"))
                finally:
                    operation.auth_callbacks = callbacks
    assert "undeclared" not in seen
    assert sum(bool(permission) for permission in seen) == 7


def test_a_key_of_a_superuser_may_do_all(db: None) -> None:
    client = client_of(User.objects.create_superuser("root", "root@example.com", "x"))
    client.create("a", labels=["production"])
    assert client.delete("/v2/prompts/a").status_code == 204
