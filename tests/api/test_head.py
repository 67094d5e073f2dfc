"""HEAD is GET without the body, with the same headers."""

import pytest
from django.http import HttpResponse

from prompts.models import Prompt

from .conftest import V1, Api


def head(api: Api, path: str, **headers: str) -> HttpResponse:
    return api.client.head(V1 + path, headers=api.headers | headers)


@pytest.mark.parametrize(
    "path", ["/prompts", "/prompts/a", "/prompts/none", "/labels?limit=0", "/openapi.json"]
)
def test_it_has_the_status_and_headers_of_get(api: Api, make: type[Prompt], path: str) -> None:
    make("a")
    wanted, got = api.get(path), head(api, path)
    assert got.content == b""
    assert got.status_code == wanted.status_code
    same = {"Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary"}
    assert {name: got.headers.get(name) for name in same} == {
        name: wanted.headers.get(name, str(len(wanted.content)) if name == "Content-Length" else None)
        for name in same
    }


def test_it_is_conditional(api: Api, make: type[Prompt]) -> None:
    make("a")
    etag = head(api, "/prompts/a")["ETag"]
    assert etag == api.get("/prompts/a")["ETag"]
    unchanged = head(api, "/prompts/a", **{"If-None-Match": etag})
    assert unchanged.status_code == 304
    got = api.client.get(f"{V1}/prompts/a", headers=api.headers | {"If-None-Match": etag})
    assert got.get("Content-Length") == unchanged.get("Content-Length")


def test_a_stream_is_not_read(api: Api, make: type[Prompt]) -> None:
    make("a")
    response = head(api, "/export")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "application/x-ndjson"


def test_credentials_are_asked_for_as_with_get(api: Api, anonymous: Api) -> None:
    assert head(anonymous, "/prompts").status_code == 401


def test_where_there_is_no_get_there_is_no_head(api: Api) -> None:
    refused = head(api, "/prompts/a/archive")
    assert (refused.status_code, refused["Allow"]) == (405, "POST")
    assert api.put("/prompts", {})["Allow"] == "GET, HEAD, POST"
