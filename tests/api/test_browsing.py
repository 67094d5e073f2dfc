"""Many items at once: get, scroll, count, facet and delete."""

from typing import Any

import pytest

from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer, problems

NOTES = "/vectors/collections/notes"
ITEMS = [
    {"key": "a/1", "text": "A red fox.", "metadata": {"lang": "en", "tags": ["x", "y"]}},
    {"key": "a/2", "text": "A blue whale.", "metadata": {"lang": "en", "tags": "x"}},
    {"key": "狐", "text": "赤い狐", "metadata": {"lang": "ja"}},
]


@pytest.fixture
def notes(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "notes"})
    assert api.put(f"{NOTES}/items", {"items": ITEMS}).json()["inserted"] == 3
    return api


def keys(response: Any) -> list[str]:
    return [item["key"] for item in response.json()["items"]]


def test_items_come_in_the_order_of_their_keys(notes: Api) -> None:
    assert keys(notes.post(f"{NOTES}/get", {"keys": ["狐", "none", "a/1", "狐"]})) == ["狐", "a/1"]


def test_what_is_shown_is_what_was_asked_for(notes: Api) -> None:
    always = {"key", "created_at", "updated_at"}
    for path, body in (("get", {"keys": ["a/1"]}), ("scroll", {"limit": 1})):
        for include in ([], ["text"], ["title", "metadata", "vector"]):
            [item] = notes.post(f"{NOTES}/{path}", body | {"include": include}).json()["items"]
            assert set(item) == always | set(include)
        assert len(item["vector"]) == 64
    assert set(notes.post(f"{NOTES}/scroll", {}).json()["items"][0]) == always | {"title", "text", "metadata"}


def test_pages_are_followed_to_the_end(notes: Api) -> None:
    first = notes.post(f"{NOTES}/scroll", {"limit": 2})
    second = notes.post(f"{NOTES}/scroll", {"limit": 2, "after": first.json()["next"]})
    assert keys(first) + keys(second) == ["a/1", "a/2", "狐"]
    assert second.json()["next"] is None
    assert keys(notes.post(f"{NOTES}/scroll", {"filter": {"lang": "ja"}})) == ["狐"]


def test_it_counts_and_sums_up(notes: Api) -> None:
    assert notes.post(f"{NOTES}/count", {}).json() == {"count": 3}
    assert notes.post(f"{NOTES}/count", {"filter": {"tags": "x"}}).json() == {"count": 2}
    assert notes.post(f"{NOTES}/facet", {"field": "tags"}).json() == {
        "values": [{"value": "x", "count": 2}, {"value": "y", "count": 1}]
    }
    limited = notes.post(f"{NOTES}/facet", {"field": "lang", "filter": {"tags": "x"}, "limit": 1})
    assert limited.json() == {"values": [{"value": "en", "count": 2}]}


def test_a_facet_keeps_the_types_of_values(notes: Api) -> None:
    values = [1, 2.5, "1", True, None]
    items = [{"key": f"t{at}", "text": "t", "metadata": {"v": value}} for at, value in enumerate(values)]
    notes.put(f"{NOTES}/items", {"items": items})
    found = [one["value"] for one in notes.post(f"{NOTES}/facet", {"field": "v"}).json()["values"]]
    assert sorted(map(repr, found)) == sorted(map(repr, values))


def test_items_are_deleted_by_filter_or_keys(notes: Api) -> None:
    rehearsal = notes.post(f"{NOTES}/delete", {"filter": {"lang": "en"}, "dry_run": True})
    assert rehearsal.json() == {"deleted": 2, "dry_run": True}
    assert notes.post(f"{NOTES}/delete", {"keys": ["狐"], "dry_run": True}).json()["deleted"] == 1
    assert notes.post(f"{NOTES}/count", {}).json() == {"count": 3}
    assert notes.post(f"{NOTES}/delete", {"filter": {"lang": "en"}}).json() == {
        "deleted": 2,
        "dry_run": False,
    }
    assert notes.post(f"{NOTES}/delete", {"keys": ["狐", "none"]}).json()["deleted"] == 1
    assert notes.post(f"{NOTES}/count", {}).json() == {"count": 0}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("get", {}, "keys"),
        ("get", {"keys": "a"}, "keys"),
        ("get", {"keys": ["\0"]}, "keys[0]"),
        ("get", {"keys": ["\ud800"]}, "keys[0]"),
        ("get", {"keys": ["x"] * 1_001}, "keys"),
        ("get", {"keys": [], "include": ["colour"]}, "include[0]"),
        ("scroll", {"limit": 0}, "limit"),
        ("scroll", {"limit": 1_001}, "limit"),
        ("scroll", {"after": -1}, "after"),
        ("scroll", {"after": 10**30}, "after"),
        ("scroll", {"filter": {}}, "filter"),
        ("scroll", {"offset": 1}, "offset"),
        ("count", {"filter": {"a": [1]}}, "filter.a"),
        ("facet", {}, "field"),
        ("facet", {"field": ""}, "field"),
        ("facet", {"field": "a\0"}, "field"),
        ("facet", {"field": "a", "limit": 1_001}, "limit"),
        ("delete", {}, "filter"),
        ("delete", {"filter": {}}, "filter"),
        ("delete", {"filter": None}, "filter"),
        ("delete", {"filter": {"a": 1}, "keys": ["a"]}, "filter"),
        ("delete", {"keys": ["x"] * 1_001}, "keys"),
    ],
)
def test_wrong_arguments_are_named(notes: Api, path: str, body: dict[str, Any], field: str) -> None:
    response = notes.post(f"{NOTES}/{path}", body)
    assert (response.status_code, list(problems(response))) == (422, [field])
    assert notes.post(f"{NOTES}/count", {}).json() == {"count": 3}


def test_a_key_of_a_million_characters_is_just_unknown(notes: Api) -> None:
    assert keys(notes.post(f"{NOTES}/get", {"keys": ["x" * 1_000_000]})) == []


def test_a_schema_is_set_shown_and_changed(api: Api) -> None:
    schema = {"lang": {"type": "string", "required": True, "indexed": True}}
    made = api.post(
        "/vectors/collections", {"name": "notes", "metadata_schema": schema, "metadata_strict": True}
    )
    assert (made.status_code, made.json()["metadata_schema"]) == (201, schema)
    assert made.json()["metadata_strict"] is True
    bad = [ITEMS[2], {"key": "b", "text": "t", "metadata": {"lang": 1}}]
    response = api.put(f"{NOTES}/items", {"items": bad})
    assert problems(response) == {"items[1].metadata.lang": "Expected text, got int 1"}
    assert api.put(f"{NOTES}/items", {"items": ITEMS[:1]}).status_code == 422  # tags are not in the schema
    assert api.put(f"{NOTES}/items", {"items": ITEMS[2:]}).json()["inserted"] == 1
    response = api.patch(NOTES, {"metadata_schema": {"lang": {"type": "integer"}}})
    assert "'狐'" in problems(response)["metadata_schema"]
    assert api.get(NOTES).json()["metadata_schema"] == schema
    changed = api.patch(NOTES, {"metadata_schema": {}})
    assert (changed.json()["metadata_schema"], changed.json()["metadata_strict"]) == ({}, False)
    assert api.put(f"{NOTES}/items", {"items": ITEMS}).status_code == 200


@pytest.mark.parametrize(
    "schema", [{"a.b": {"type": "string"}}, {"a": {"type": "text"}}, {"a": 1}, {"\ud800": {"type": "string"}}]
)
def test_a_wrong_schema_is_refused(api: Api, schema: dict[str, Any]) -> None:
    response = api.post("/vectors/collections", {"name": "notes", "metadata_schema": schema})
    assert response.status_code == 422
    assert next(iter(problems(response))).startswith("metadata_schema")


CHANGES = [("patch", "", {"metadata_schema": {}}), ("post", "/delete", {"keys": ["a"]})]
READS = [
    ("/get", {"keys": ["a"]}),
    ("/scroll", {}),
    ("/count", {}),
    ("/facet", {"field": "a"}),
    ("/searches", {"searches": [{"query": "a"}]}),
]


@pytest.mark.parametrize(("path", "body"), READS)
def test_a_key_that_reads_may_read(notes: Api, user: User, path: str, body: dict[str, Any]) -> None:
    reader = Api(bearer(ApiKey.issue(user, "reader", ["read"])[1]))
    assert reader.post(NOTES + path, body).status_code == 200
    writer = Api(bearer(ApiKey.issue(user, "writer", ["write"])[1]))
    assert writer.post(NOTES + path, body).status_code == 403
    assert Api().post(NOTES + path, body).status_code == 401
    assert notes.post("/vectors/collections/none" + path, body).status_code == 404


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_changes_need_scope_and_permission(
    notes: Api, user: User, method: str, path: str, body: dict[str, Any]
) -> None:
    reader = Api(bearer(ApiKey.issue(user, "reader", ["read"])[1]))
    assert getattr(reader, method)(NOTES + path, body).status_code == 403
    assert getattr(Api(), method)(NOTES + path, body).status_code == 401
    assert getattr(notes, method)("/vectors/collections/none" + path, body).status_code == 404
    user.user_permissions.clear()
    assert getattr(notes, method)(NOTES + path, body).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_the_collection_of_the_registry_is_not_changed(
    api: Api, method: str, path: str, body: dict[str, Any]
) -> None:
    response = getattr(api, method)("/vectors/collections/prompts" + path, body)
    assert response.status_code == 409
    assert "prompts" in response.json()["detail"]
