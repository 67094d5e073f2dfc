import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prompts.models import Prompt, PromptLabel, PromptVersion

from .conftest import Langfuse, problem


@pytest.fixture
def three(langfuse: Langfuse) -> Langfuse:
    langfuse.create("a/one", "1", labels=["production"], tags=["x", "y"], config={"n": 1})
    langfuse.create("a/one", "2", labels=["staging"], config={"n": 2})
    langfuse.create("b/two", [{"role": "user", "content": "1"}], tags=["x"])
    langfuse.create("c_three", "1", labels=["production"])
    return langfuse


def listed(langfuse: Langfuse, **query: Any) -> dict[str, list[int]]:
    response = langfuse.get("/v2/prompts", **query)
    assert response.status_code == 200, response.content
    return {one["name"]: one["versions"] for one in response.json()["data"]}


def test_prompts_are_listed_by_name_with_their_versions(three: Langfuse) -> None:
    body = three.get("/v2/prompts").json()
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 3, "totalPages": 1}
    first, second, _ = body["data"]
    assert datetime.fromisoformat(first.pop("lastUpdatedAt")) > datetime.now(UTC) - timedelta(minutes=5)
    assert first == {
        "name": "a/one",
        "type": "text",
        "versions": [1, 2],
        "labels": ["latest", "production", "staging"],
        "tags": ["x", "y"],
        "lastConfig": {"n": 2},
    }
    assert (second["type"], second["labels"]) == ("chat", ["latest"])


def test_pages_follow_each_other(three: Langfuse) -> None:
    assert list(listed(three, limit=2)) == ["a/one", "b/two"]
    assert list(listed(three, limit=2, page=2)) == ["c_three"]
    assert listed(three, limit=2, page=3) == {}
    assert three.get("/v2/prompts", limit=2).json()["meta"]["totalPages"] == 2
    assert three.get("/v2/prompts", page=2**31 - 1, limit=100).json()["data"] == []


def test_only_versions_that_match_are_shown(three: Langfuse) -> None:
    assert listed(three, label="production") == {"a/one": [1], "c_three": [1]}
    assert listed(three, label="latest") == {"a/one": [2], "b/two": [1], "c_three": [1]}
    assert listed(three, tag="x") == {"a/one": [1, 2], "b/two": [1]}
    assert listed(three, version=2) == {"a/one": [2]}
    assert listed(three, name="a/one", label="staging") == {"a/one": [2]}
    assert listed(three, name="a") == listed(three, tag="X") == listed(three, label="none") == {}
    found = three.get("/v2/prompts", label="production").json()["data"][0]
    assert (found["labels"], found["lastConfig"]) == (["production"], {"n": 1})


def test_what_is_in_the_trash_is_not_listed(three: Langfuse) -> None:
    three.delete("/v2/prompts/a%2Fone", version=2)
    three.delete("/v2/prompts/c_three")
    assert listed(three) == {"a/one": [1], "b/two": [1]}


def test_the_moment_of_a_version_is_that_of_its_last_change(three: Langfuse) -> None:
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    PromptLabel.objects.update(moved_at=old)
    Prompt.objects.update(updated_at=old)
    PromptVersion.objects.update(created_at=old)
    Prompt.objects.filter(name="b/two").update(updated_at=new)
    PromptLabel.objects.filter(name="production", prompt__name="a/one").update(moved_at=new)
    assert listed(three, fromUpdatedAt="2026-03-01T00:00:00Z") == {"a/one": [1], "b/two": [1]}
    assert listed(three, fromUpdatedAt="2026-03-01T09:00:00.000001+09:00") == {}
    assert listed(three, toUpdatedAt="2026-01-01T00:00:00Z") == {"a/one": [2], "c_three": [1]}


def test_a_moment_with_milliseconds_is_not_before_itself(three: Langfuse) -> None:
    for one in three.get("/v2/prompts").json()["data"]:
        assert one["name"] in listed(three, fromUpdatedAt=one["lastUpdatedAt"])
    created = three.get("/v2/prompts/a%2Fone", version=1).json()["createdAt"]
    for operator, expected in ((">=", 2), (">", 1), ("<=", 1), ("<", 0)):
        condition = {"type": "datetime", "column": "createdAt", "operator": operator, "value": created}
        found = listed(three, filter=json.dumps([NAMED, condition])).get("a/one", [])
        assert len(found) == expected, operator


NAMED = {"type": "string", "column": "name", "operator": "=", "value": "a/one"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("string", "name", "starts with", "A/"), {"a/one": [1, 2]}),
        (("string", "name", "ends with", "_three"), {"c_three": [1]}),
        (("string", "name", "contains", "%"), {}),
        (("string", "name", "does not contain", "o"), {"c_three": [1]}),
        (("string", "type", "=", "chat"), {"b/two": [1]}),
        (("string", "name", "is not empty", ""), {"a/one": [1, 2], "b/two": [1], "c_three": [1]}),
        (("stringOptions", "name", "any of", ["b/two", "c_three"]), {"b/two": [1], "c_three": [1]}),
        (("stringOptions", "name", "none of", ["b/two", "c_three"]), {"a/one": [1, 2]}),
        (("number", "version", ">", 1), {"a/one": [2]}),
        (("number", "version", "=", 2.0), {"a/one": [2]}),
        (("number", "version", "<=", 0), {}),
        (("arrayOptions", "labels", "any of", ["staging", "production"]), {"a/one": [1, 2], "c_three": [1]}),
        (("arrayOptions", "labels", "all of", ["staging", "latest"]), {"a/one": [2]}),
        (("arrayOptions", "labels", "none of", ["latest", "production"]), {}),
        (("arrayOptions", "tags", "all of", ["x", "y"]), {"a/one": [1, 2]}),
        (("arrayOptions", "tags", "none of", ["x"]), {"c_three": [1]}),
        (("datetime", "updatedAt", "<", "2020-01-01T00:00:00Z"), {}),
        (
            ("datetime", "createdAt", ">=", "0001-01-01T00:00:00Z"),
            {"a/one": [1, 2], "b/two": [1], "c_three": [1]},
        ),
    ],
)
def test_a_filter_is_a_list_of_conditions(
    three: Langfuse, condition: tuple[Any, ...], expected: dict[str, list[int]]
) -> None:
    one = dict(zip(("type", "column", "operator", "value"), condition, strict=True))
    assert listed(three, filter=json.dumps([one])) == expected
    assert listed(three, filter="[]", name="overruled") == listed(three)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"page": 0},
        {"page": "x"},
        {"page": 2**31},
        {"version": 0},
        {"label": "x\0"},
        {"name": "\0"},
        {"fromUpdatedAt": "yesterday"},
        {"fromUpdatedAt": "2026-01-01T00:00:00"},
        {"fromUpdatedAt": "12345"},
        {"toUpdatedAt": "0001-01-01T00:00:00+14:00"},
        {"toUpdatedAt": "9999-12-31T23:59:59-14:00"},
        {"lable": "production"},
        {"filter": "{"},
        {"filter": "{}"},
        {"filter": "[1]"},
        {"filter": "[" * 9_000},
        {"filter": json.dumps([NAMED] * 21)},
        {"filter": json.dumps([NAMED | {"type": "stringObject", "column": "config", "key": "n"}])},
        {"filter": json.dumps([NAMED | {"column": "content"}])},
        {"filter": json.dumps([NAMED | {"column": ["name"]}])},
        {"filter": json.dumps([NAMED | {"operator": "drop"}])},
        {"filter": json.dumps([NAMED | {"value": 1}])},
        {"filter": json.dumps([NAMED | {"value": "\0"}])},
        {"filter": json.dumps([NAMED | {"value": "\ud800"}])},
        {"filter": json.dumps([NAMED | {"type": "stringOptions", "operator": "any of", "value": []}])},
        {"filter": '[{"type": "number", "column": "version", "operator": "=", "value": 1e999}]'},
        {"filter": '[{"type": "number", "column": "version", "operator": "=", "value": NaN}]'},
        {"filter": '[{"type": "number", "column": "version", "operator": "=", "value": true}]'},
        {"filter": '[{"type": "number", "column": "version", "operator": "=", "value": 1.5}]'},
        {"filter": '[{"type": "datetime", "column": "createdAt", "operator": ">", "value": 5}]'},
    ],
)
def test_a_query_that_is_none_is_refused(langfuse: Langfuse, query: dict[str, Any]) -> None:
    problem(langfuse.get("/v2/prompts", **query), 400)


def test_the_number_of_queries_does_not_grow(three: Langfuse, django_assert_max_num_queries: Any) -> None:
    for at in range(30):
        three.create(f"more/{at}", labels=["x"])
    three.get("/v2/prompts")  # the key is looked up once
    with django_assert_max_num_queries(8):
        assert len(listed(three)) == 33
