"""Bodies of float32 numbers: what they mean, and that nothing else gets through."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from tests.api.conftest import V1, Api, problems

OWN = "/vectors/collections/own"
ITEMS = [{"key": "x", "text": "x", "metadata": {"n": 1}}, {"key": "y", "text": "y"}]
MATRIX = np.array([[1, 0, 0], [0, 1, 0]], dtype="<f4")


def pack(items: Any, matrix: Any = MATRIX) -> bytes:
    head = items if isinstance(items, bytes) else json.dumps({"items": items}).encode()
    return struct.pack("<Q", len(head)) + head + np.asarray(matrix, dtype="<f4").tobytes()


@pytest.fixture
def own(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "own", "embedder": "", "dimensions": 3})
    return api


def send(api: Api, method: str, path: str, body: bytes, query: str = "") -> HttpResponse:
    return getattr(api.client, method)(
        f"{V1}{path}{query}", body, content_type="application/octet-stream", headers=api.headers
    )


def test_items_come_with_their_vectors(own: Api) -> None:
    response = send(own, "put", f"{OWN}/items", pack(ITEMS))
    assert (response.status_code, response.json()["inserted"]) == (200, 2)
    as_json = [item | {"vector": row.tolist()} for item, row in zip(ITEMS, MATRIX, strict=True)]
    assert own.put(f"{OWN}/items", {"items": as_json}).json()["unchanged"] == 2


@pytest.mark.parametrize("padding", range(4))
def test_the_json_may_have_any_length(own: Api, padding: int) -> None:
    head = json.dumps({"items": ITEMS}).encode() + b" " * padding
    assert send(own, "put", f"{OWN}/items", pack(head)).json()["inserted"] == 2


def test_a_batch_may_be_empty(own: Api) -> None:
    assert send(own, "put", f"{OWN}/items", pack([], np.zeros((0, 3)))).json()["inserted"] == 0


GOOD = pack(ITEMS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"\0" * 7, "body"),
        (b"\xff" * 8, "body"),
        (struct.pack("<Q", 2**63) + b"{}", "body"),
        (struct.pack("<Q", 0), "body"),
        (GOOD[:-1], "body"),
        (GOOD[:-4], "body"),
        (GOOD[:-24], "body"),
        (GOOD + b"\0", "body"),
        (GOOD + b"\0" * 4, "body"),
        (GOOD + b"\0" * 8, "items[0].vector"),
        (GOOD[:-8], "items[0].vector"),
        (pack([], MATRIX), "body"),
        (pack(b"{", MATRIX), "body"),
        (pack(b"\xff", MATRIX), "body"),
        (pack(b'{"items": NaN}', MATRIX), "body"),
        (pack(b"[" * 100_000, MATRIX), "body"),
        (pack(b"[]", MATRIX), "body"),
        (pack(b'{"items": 5}', MATRIX), "body"),
        (pack(b'{"items": [1, 2]}', MATRIX), "body"),
        (pack([ITEMS[0], ITEMS[1] | {"vector": [0, 1, 0]}]), "items[1].vector"),
        (pack([ITEMS[0], ITEMS[1] | {"colour": 1}]), "items[1].colour"),
        (pack([ITEMS[0], {"key": "y"}]), "items[1].text"),
        (pack([ITEMS[0], ITEMS[0]]), "items[1].key"),
        (pack([ITEMS[0], ITEMS[1] | {"key": "x" * 1_000_000}]), "items[1].key"),
        (pack(ITEMS, [[1, 0, 0], [0, np.nan, 0]]), "items[1].vector"),
        (pack(ITEMS, [[1, 0, 0], [0, -np.inf, 0]]), "items[1].vector"),
        (pack(ITEMS, [[1, 0, 0], [0, 0, 0]]), "items[1].vector"),
        (pack(ITEMS, [[1, 0, 0], [1e30, 0, 0]]), "items[1].vector"),
        (pack([{"key": f"k{at}", "text": "t"} for at in range(1_001)], np.ones((1_001, 3))), "items"),
    ],
)
def test_wrong_items_are_named_and_nothing_is_written(own: Api, body: bytes, field: str) -> None:
    response = send(own, "put", f"{OWN}/items", body)
    assert (response.status_code, list(problems(response))) == (422, [field])
    assert len(response.content) < 2_000
    assert own.post(f"{OWN}/count", {}).json() == {"count": 0}


def test_a_batch_of_100_000_items_is_refused_at_once(own: Api, settings: Settings) -> None:
    items = [{"key": str(at), "text": "t"} for at in range(100_000)]
    body = pack(items, np.ones((100_000, 3)))
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
    assert send(own, "put", f"{OWN}/items", body).status_code == 413
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
    response = send(own, "put", f"{OWN}/items", body)
    assert (response.status_code, list(problems(response))) == (422, ["items"])


def test_json_is_not_taken_for_bytes(own: Api) -> None:
    response = own.put(f"{OWN}/items", GOOD)
    assert response.status_code in (400, 422)


# -- searching --------------------------------------------------------------------------------------------


@pytest.fixture
def filled(own: Api) -> Api:
    assert send(own, "put", f"{OWN}/items", GOOD).status_code == 200
    return own


VECTOR = np.array([1, 0.1, 0], dtype="<f4").tobytes()


def test_a_search_by_bytes_is_one_by_json(filled: Api) -> None:
    found = send(filled, "post", f"{OWN}/search", VECTOR, "?k=2&mode=semantic").json()
    vector = np.frombuffer(VECTOR, "<f4").tolist()
    expected = filled.post(f"{OWN}/search", {"vector": vector, "k": 2, "mode": "semantic"}).json()
    assert found["hits"] == expected["hits"]
    assert [hit["key"] for hit in found["hits"]] == ["x", "y"]


def test_its_other_members_stand_in_the_query_string(filled: Api) -> None:
    query = '?k=1&filter={"n":1}&include=text&include=vector&with_plan=false&query=y&fusion=rrf'
    found = send(filled, "post", f"{OWN}/search", VECTOR, query).json()
    [hit] = found["hits"]
    assert (hit["text"], hit["vector"], "title" in hit) == ("x", [1, 0, 0], False)
    assert "plan" not in found


@pytest.mark.parametrize(
    ("body", "query", "field"),
    [
        (b"", "", "body"),
        (VECTOR[:-1], "", "body"),
        (VECTOR[:-4], "", "vector"),
        (VECTOR + VECTOR, "", "vector"),
        (b"\0" * 12, "", "vector"),
        (np.array([np.nan, 0, 1], "<f4").tobytes(), "", "vector"),
        (VECTOR, "?k=0", "k"),
        (VECTOR, "?k=x", "k"),
        (VECTOR, "?k=²", "k"),
        (VECTOR, "?k=" + "9" * 5_000, "k"),
        (VECTOR, "?mode=psychic", "mode"),
        (VECTOR, "?with_plan=1", "with_plan"),
        (VECTOR, "?include=all", "include[0]"),
        (VECTOR, "?filter={", "filter"),
        (VECTOR, "?filter=[]", "filter"),
        (VECTOR, '?filter={"a":NaN}', "filter"),
        (VECTOR, "?limit=3", "limit"),
        (VECTOR, "?vector=1", "vector"),
        (VECTOR, "?key=x", "key"),
    ],
)
def test_a_wrong_search_is_refused_by_name(filled: Api, body: bytes, query: str, field: str) -> None:
    response = send(filled, "post", f"{OWN}/search", body, query)
    assert (response.status_code, list(problems(response))) == (422, [field])
