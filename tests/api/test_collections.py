from typing import Any

import pytest

from tests.api.conftest import Api, problems
from vectors import store
from vectors.models import Collection

PATH = "/vectors/collections"


def test_it_creates_lists_reads_and_deletes_collections(api: Api) -> None:
    made = api.post(PATH, {"name": "メモ"})
    assert made.status_code == 201
    body = made.json()
    assert (body["embedder"], body["dimensions"], body["metric"], body["count"]) == ("fake", 64, "cosine", 0)
    listed = api.get(PATH).json()
    assert (listed["total"], listed["items"][0]["name"]) == (1, "メモ")
    assert api.get(f"{PATH}/メモ").json() == body
    assert api.delete(f"{PATH}/メモ").status_code == 204
    assert api.get(f"{PATH}/メモ").status_code == 404
    assert api.delete(f"{PATH}/メモ").status_code == 404


def test_vectors_may_be_the_callers_own(api: Api) -> None:
    body = api.post(PATH, {"name": "own", "embedder": "", "dimensions": 3, "metric": "l2"}).json()
    assert (body["embedder"], body["dimensions"], body["metric"]) == ("", 3, "l2")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\0"}, "name"),
        ({"name": "a\ud800"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "."}, "name"),
        ({"name": ".."}, "name"),
        ({"name": 1}, "name"),
        ({}, "name"),
        ({"name": "a", "metric": "hamming"}, "metric"),
        ({"name": "a", "strategy": "hnsw"}, "strategy"),
        ({"name": "a", "keyword_weight": 2}, "keyword_weight"),
        ({"name": "a", "embedder": "unknown"}, "embedder"),
        ({"name": "a", "embedder": "openai"}, "embedder"),
        ({"name": "a", "embedder": ""}, "dimensions"),
        ({"name": "a", "embedder": "", "dimensions": 0}, "dimensions"),
        ({"name": "a", "embedder": "", "dimensions": 10**30}, "dimensions"),
        ({"name": "a", "embedder": "wordllama", "dimensions": 7}, "dimensions"),
        ({"name": "a", "index": "hnsw"}, "index"),
    ],
)
def test_it_refuses_wrong_members_by_name(api: Api, body: dict[str, Any], field: str) -> None:
    response = api.post(PATH, body)
    assert response.status_code == 422
    assert list(problems(response)) == [field]
    assert not Collection.objects.exists()


def test_a_taken_name_is_a_conflict(api: Api) -> None:
    api.post(PATH, {"name": "notes"})
    response = api.post(PATH, {"name": "notes"})
    assert response.status_code == 409
    assert list(problems(response)) == ["name"]


def test_sql_in_a_name_is_text(api: Api) -> None:
    name = "vec_1_items; DROP TABLE users"
    assert api.post(PATH, {"name": name}).status_code == 201
    assert api.get(f"{PATH}/{name}").status_code == 200


def test_the_prompts_collection_is_left_to_the_registry(api: Api) -> None:
    assert api.post(PATH, {"name": "prompts"}).status_code == 409
    store.create_collection("prompts")
    item = {"items": [{"key": "k", "text": "t"}]}
    for response in (
        api.put(f"{PATH}/prompts/items", item),
        api.delete(f"{PATH}/prompts/items/k"),
        api.delete(f"{PATH}/prompts"),
    ):
        assert response.status_code == 409
        assert "prompts" in response.json()["detail"]
    assert api.get(f"{PATH}/prompts").json()["count"] == 0
    assert api.post(f"{PATH}/prompts/search", {"query": "x"}).status_code == 200


@pytest.mark.parametrize("name", ["none", "%00", "%F0%9F%8C%B8"])
def test_an_unknown_collection_is_not_found(api: Api, name: str) -> None:
    expected = 422 if name == "%00" else 404
    assert api.get(f"{PATH}/{name}").status_code == expected
    assert api.put(f"{PATH}/{name}/items", {"items": []}).status_code == expected
    assert api.post(f"{PATH}/{name}/search", {"query": "x"}).status_code == expected


def test_listing_takes_the_same_queries_for_any_number(api: Api, django_assert_num_queries: Any) -> None:
    for number in range(5):
        api.post(PATH, {"name": f"c{number}"})
    with django_assert_num_queries(2):  # page, total
        assert len(api.get(PATH, limit=3).json()["items"]) == 3
