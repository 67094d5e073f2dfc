"""Searches by key, several at once, and what of the hits comes back."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import Api, problems

OWN = "/vectors/collections/own"
VECTORS = {"x": [1, 0, 0], "near": [1, 0.1, 0], "far": [0, 1, 0], "else": [0, 0, 1]}


@pytest.fixture
def own(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "own", "embedder": "", "dimensions": 3})
    items = [
        {"key": key, "text": f"text {key}", "metadata": {"n": at}, "vector": vector}
        for at, (key, vector) in enumerate(VECTORS.items())
    ]
    assert api.put(f"{OWN}/items", {"items": items}).json()["inserted"] == 4
    return api


def keys(found: dict[str, Any]) -> list[str]:
    return [hit["key"] for hit in found["hits"]]


def test_more_like_this_leaves_this_out(own: Api) -> None:
    found = own.post(f"{OWN}/search", {"key": "x", "k": 2}).json()
    assert keys(found) == ["near", "far"]
    assert [hit["ranks"]["semantic"] for hit in found["hits"]] == [1, 2]
    assert keys(own.post(f"{OWN}/search", {"key": "x", "k": 9, "filter": {"n": {"gte": 1}}}).json()) == [
        *("near", "far", "else")
    ]


def test_a_key_and_words_are_fused(own: Api) -> None:
    found = own.post(f"{OWN}/search", {"key": "x", "query": "else text x", "k": 3}).json()
    assert keys(found)[0] in ("else", "near")
    assert "x" not in keys(found)
    assert sorted(hit["ranks"]["keyword"] for hit in found["hits"]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"key": "none"}, "key"),
        ({"key": ""}, "key"),
        ({"key": "\0"}, "key"),
        ({"key": "x" * 1_000_000}, "key"),
        ({"key": "x", "vector": [1, 0, 0]}, "key"),
        ({"key": "x", "k": 1_000}, "k"),
        ({"key": "x", "mode": "keyword"}, "query"),
        ({"vector": [1, 0, 0], "include": ["id"]}, "include[0]"),
        ({"vector": [1, 0, 0], "with_plan": 1}, "with_plan"),
    ],
)
def test_wrong_searches_are_refused_by_name(own: Api, body: dict[str, Any], field: str) -> None:
    response = own.post(f"{OWN}/search", body)
    assert (response.status_code, list(problems(response))) == (422, [field])
    several = own.post(f"{OWN}/searches", {"searches": [{"vector": [1, 0, 0]}, body]})
    assert (several.status_code, list(problems(several))) == (422, [f"searches[1].{field}"])


def test_several_searches_are_answered_in_their_order(own: Api) -> None:
    searches = [
        {"key": "x", "k": 1},
        {"vector": [0, 0, 1], "k": 1, "include": ["vector"], "with_plan": False},
        {"query": "far", "mode": "keyword"},
    ]
    results = own.post(f"{OWN}/searches", {"searches": searches}).json()["results"]
    assert [keys(found) for found in results] == [["near"], ["else"], ["far"]]
    assert ["plan" in found for found in results] == [True, False, True]
    assert results[1]["hits"][0]["vector"] == [0, 0, 1]
    assert "text" not in results[1]["hits"][0]
    assert all(found["took_ms"] >= 0 for found in results)


def test_there_are_1_to_50_searches(own: Api) -> None:
    one = {"vector": [1, 0, 0], "k": 1, "include": []}
    for number in (0, 51):
        response = own.post(f"{OWN}/searches", {"searches": [one] * number})
        assert (response.status_code, list(problems(response))) == (422, ["searches"])
    assert len(own.post(f"{OWN}/searches", {"searches": [one] * 50}).json()["results"]) == 50


def test_a_text_without_an_embedder_is_the_callers_mistake(own: Api) -> None:
    known = [{"vector": [1, 0, 0], "k": 1}, {"query": "text", "mode": "keyword"}]
    response = own.post(f"{OWN}/searches", {"searches": [*known, {"query": "text"}]})
    assert (response.status_code, list(problems(response))) == (422, ["searches[2].vector"])


def test_parts_to_show_are_at_most_as_many_as_there_are(own: Api) -> None:
    body = {"vector": [1, 0, 0], "include": ["title"] * 5}
    response = own.post(f"{OWN}/search", body)
    assert (response.status_code, list(problems(response))) == (422, ["include"])


def test_members_in_the_query_string_are_not_passed_over(own: Api) -> None:
    response = own.post(f"{OWN}/search?k=1", {"vector": [1, 0, 0]})
    assert (response.status_code, list(problems(response))) == (422, ["k"])


def test_texts_that_are_not_asked_for_are_not_read(own: Api) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = own.post(f"{OWN}/search", {"vector": [1, 0, 0], "include": ["title"]})
    assert response.status_code == 200
    *_, statement = [one["sql"] for one in queries if "vector_distance" in one["sql"]]
    assert "i.title" in statement
    assert "i.text" not in statement
