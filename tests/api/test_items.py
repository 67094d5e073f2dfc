from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Api, problems

NOTES = "/vectors/collections/notes"
OWN = "/vectors/collections/own"
REFUND = {"key": "faq/refunds", "text": "Refunds take five days.", "metadata": {"lang": "en", "n": 1}}
ITEMS = [
    REFUND,
    {"key": "faq/hours", "text": "We open at nine.", "title": "Opening hours", "metadata": {"lang": "en"}},
    {"key": "返金", "text": "返金には五日かかります。", "metadata": {"lang": "ja"}},
]


@pytest.fixture
def notes(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "notes"})
    api.put(f"{NOTES}/items", {"items": ITEMS})
    return api


@pytest.fixture
def own(api: Api) -> Api:
    """A collection without an embedder, of three dimensions."""
    api.post("/vectors/collections", {"name": "own", "embedder": "", "dimensions": 3})
    vectors = {"x": [1, 0, 0], "y": [0, 1, 0], "xy": [1, 1, 0]}
    items = [{"key": key, "text": key, "vector": vector} for key, vector in vectors.items()]
    assert api.put(f"{OWN}/items", {"items": items}).json()["inserted"] == 3
    return api


def test_a_batch_counts_what_was_new_changed_and_known(notes: Api) -> None:
    batch = [REFUND, ITEMS[1] | {"text": "We open at ten."}, {"key": "new", "text": "New."}]
    counts = notes.put(f"{NOTES}/items", {"items": batch})
    assert (counts.status_code, counts.json()) == (200, {"inserted": 1, "updated": 1, "unchanged": 1})
    assert notes.get(NOTES).json()["count"] == 4


def test_an_item_is_read_and_deleted_by_its_key(notes: Api) -> None:
    item = notes.get(f"{NOTES}/items/faq/refunds").json()
    assert {name: item[name] for name in REFUND} == REFUND
    assert item["title"] == ""
    assert notes.get(f"{NOTES}/items/返金").json()["text"] == ITEMS[2]["text"]
    assert notes.delete(f"{NOTES}/items/faq/refunds").status_code == 204
    assert notes.get(f"{NOTES}/items/faq/refunds").status_code == 404
    assert notes.delete(f"{NOTES}/items/faq/refunds").status_code == 404


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"text": "t"}, "items[1].key"),
        ({"key": "", "text": "t"}, "items[1].key"),
        ({"key": "x" * 513, "text": "t"}, "items[1].key"),
        ({"key": "k"}, "items[1].text"),
        ({"key": "k", "text": " "}, "items[1].text"),
        ({"key": "k", "text": "a\0b"}, "items[1].text"),
        ({"key": "k", "text": "a\ud800b"}, "items[1].text"),
        ({"key": "ok", "text": "t"}, "items[1].key"),
        ({"key": "k", "text": "t", "metadata": 1}, "items[1].metadata"),
        ({"key": "k", "text": "t", "metadata": {"a": "\0"}}, "items[1].metadata"),
        ({"key": "k", "text": "t", "metadata": {"\ud800": 1}}, "items[1].metadata"),
        ({"key": "k", "text": "t", "metadata": {"a": 2**70}}, "items[1].metadata"),
        ({"key": "k", "text": "t", "vector": [1, 2]}, "items[1].vector"),
        ({"key": "k", "text": "t", "vector": [0] * 64}, "items[1].vector"),
        ({"key": "k", "text": "t", "vector": ["a", "b"]}, "items[1].vector[0]"),
        ({"key": "k", "text": "t", "vector": [True] * 64}, "items[1].vector[0]"),
        ({"key": "k", "text": "t", "vector": [1e300] * 64}, "items[1].vector"),
        ({"key": "k", "text": "t", "colour": 1}, "items[1].colour"),
    ],
)
def test_a_wrong_item_is_named_and_nothing_is_written(notes: Api, item: dict[str, Any], field: str) -> None:
    response = notes.put(f"{NOTES}/items", {"items": [{"key": "ok", "text": "fine"}, item]})
    assert response.status_code == 422
    assert any(one.startswith(field) for one in problems(response)), problems(response)
    assert notes.get(f"{NOTES}/items/ok").status_code == 404


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e400"])
def test_a_vector_of_anything_but_numbers_is_refused(own: Api, number: bytes) -> None:
    body = b'{"items": [{"key": "k", "text": "t", "vector": [1, 0, %s]}]}' % number
    response = own.put(f"{OWN}/items", body)
    assert response.status_code == 422
    assert number.decode() in problems(response)["body"]
    assert own.post(f"{OWN}/search", b'{"vector": [1, 0, %s]}' % number).status_code == 422


def test_a_batch_has_at_most_1000_items(api: Api, notes: Api) -> None:
    items = [{"key": f"k{number}", "text": "t"} for number in range(1_001)]
    response = notes.put(f"{NOTES}/items", {"items": items})
    assert response.status_code == 422
    assert list(problems(response)) == ["items"]
    assert notes.put(f"{NOTES}/items", {"items": items[:1_000]}).json()["inserted"] == 1_000


@pytest.mark.parametrize("end", ["a\nb", "\n.", "a/b//c", "..", "%2F", "?x=1#y", "狐"])
def test_any_key_is_found_by_its_path(notes: Api, end: str) -> None:
    notes.put(f"{NOTES}/items", {"items": [{"key": f"x{end}", "text": "text"}]})
    path = f"{NOTES}/items/{quote(f'x{end}', safe='')}"
    assert notes.get(path).json()["key"] == f"x{end}"
    assert notes.delete(path).status_code == 204


def test_a_batch_may_be_empty(notes: Api) -> None:
    counts = notes.put(f"{NOTES}/items", {"items": []}).json()
    assert counts == {"inserted": 0, "updated": 0, "unchanged": 0}


def test_a_collection_without_embedder_needs_vectors(own: Api) -> None:
    response = own.put(f"{OWN}/items", {"items": [{"key": "k", "text": "t"}]})
    assert (response.status_code, list(problems(response))) == (422, ["items[0].vector"])
    response = own.post(f"{OWN}/search", {"query": "x"})
    assert (response.status_code, list(problems(response))) == (422, ["vector"])
    assert own.post(f"{OWN}/search", {"query": "x", "mode": "keyword"}).json()["hits"][0]["key"] == "x"


def test_a_search_by_text_shows_hits_and_plan(notes: Api) -> None:
    found = notes.post(f"{NOTES}/search", {"query": "refunds", "k": 2}).json()
    hit = found["hits"][0]
    assert hit["key"] == "faq/refunds"
    assert set(hit) == {
        *("key", "title", "text", "metadata", "distance", "similarity", "score", "ranks"),
    }
    assert hit["ranks"]["keyword"] == 1
    assert found["plan"]["exhaustive"] is True
    assert found["took_ms"] >= 0


def test_a_search_by_vector_is_ordered_by_distance(own: Api) -> None:
    hits = own.post(f"{OWN}/search", {"vector": [1, 0.1, 0], "k": 3, "mode": "semantic"}).json()["hits"]
    assert [hit["key"] for hit in hits] == ["x", "xy", "y"]
    assert hits[0]["similarity"] == pytest.approx(1 - hits[0]["distance"])


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
def test_a_filter_restricts_the_hits(notes: Api, fusion: str) -> None:
    body = {"query": "返金 refunds", "filter": {"lang": "ja"}, "fusion": fusion}
    assert [hit["key"] for hit in notes.post(f"{NOTES}/search", body).json()["hits"]] == ["返金"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": "x", "k": 0}, "k"),
        ({"query": "x", "k": 1_001}, "k"),
        ({"query": "x", "k": True}, "k"),
        ({"query": "x", "k": 10**400}, "k"),
        ({"query": "x", "mode": "psychic"}, "mode"),
        ({"query": "x", "fusion": "nuclear"}, "fusion"),
        ({"query": ""}, "query"),
        ({"query": "\0"}, "query"),
        ({"query": "\ud800"}, "query"),
        ({"vector": [1, 2, 3]}, "vector"),
        ({"vector": []}, "vector"),
        ({"vector": [[1]]}, "vector[0]"),
        ({"query": "x", "filter": []}, "filter"),
        ({"query": "x", "filter": {}}, "filter"),
        ({"query": "x", "filter": {"a": {"like": "%"}}}, "filter.a.like"),
        ({"query": "x", "filter": {"a": [1]}}, "filter.a"),
        ({"query": "x", "filter": {'a"b': 1}}, 'filter.a"b'),
        ({"query": "x", "filter": {"or": []}}, "filter.or"),
        ({"query": "x", "filter": {"a": "\0"}}, "filter.a"),
        ({"query": "x", "filter": {"a": 10**30}}, "filter.a"),
        ({"query": "x", "limit": 3}, "limit"),
    ],
)
def test_a_search_refuses_wrong_arguments_by_name(notes: Api, body: dict[str, Any], field: str) -> None:
    response = notes.post(f"{NOTES}/search", body)
    assert response.status_code == 422
    assert list(problems(response)) == [field]


def test_errors_say_what_was_expected_and_what_came(notes: Api) -> None:
    response = notes.post(f"{NOTES}/search", {"vector": [1, 2, 3]})
    assert response.json()["detail"] == [
        {
            "field": "vector",
            "msg": "Expected 64 dimensions, got 3 dimensions",
            "expected": "64 dimensions",
            "got": "3 dimensions",
        }
    ]
