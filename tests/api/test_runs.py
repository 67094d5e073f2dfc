"""Datasets, runs, comparisons and splits over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from prompts.models import Prompt
from tests.api.conftest import Api, problems

Make = Callable[..., Prompt]
ITEMS = [
    {"key": f"q{number}", "variables": {"resume": str(number)}, "expected": "yes"} for number in range(8)
]


@pytest.fixture
def prompt(api: Api, make: Make) -> Prompt:
    made = make("support/triage")
    api.post("/prompts/support/triage/versions", {"content": "Improve {{resume}}."})
    assert api.post("/datasets", {"name": "questions", "description": "Real ones"}).status_code == 201
    assert api.put("/datasets/questions/items", {"items": ITEMS}).json() == {"inserted": 8, "updated": 0}
    return made


def run(api: Api, version: int, answers: str) -> dict[str, Any]:
    """A run whose results are sent in, one letter an item: y for yes."""
    asked = {
        "prompt": "support/triage",
        "version": version,
        "dataset": "questions",
        "metrics": [{"type": "exact_match"}],
    }
    made = api.post("/runs", asked)
    assert made.status_code == 201, made.content
    results = [{"item": f"q{at}", "output": "yes" if one == "y" else "no"} for at, one in enumerate(answers)]
    sent = api.post(f"/runs/{made.json()['id']}/results", {"results": results})
    assert sent.json() == {"added": len(answers), "status": "done"}
    return api.get(f"/runs/{made.json()['id']}").json()


def test_a_dataset_is_filled_read_and_deleted(api: Api, prompt: Prompt) -> None:
    assert api.get("/datasets/questions").json()["count"] == 8
    again = api.put(
        "/datasets/questions/items", {"items": [{"key": "q0", "expected": ["a", {"b": 1}]}, {"key": "a/b"}]}
    )
    assert again.json() == {"inserted": 1, "updated": 1}
    page = api.get("/datasets/questions/items", limit=2).json()
    assert page["total"] == 9
    assert [item["key"] for item in page["items"]] == ["a/b", "q0"]
    assert page["items"][1]["expected"] == ["a", {"b": 1}]
    assert api.delete("/datasets/questions/items/a/b").status_code == 204
    assert api.delete("/datasets/questions/items/a/b").status_code == 404
    assert [one["name"] for one in api.get("/datasets").json()["items"]] == ["questions"]
    assert api.delete("/datasets/questions").status_code == 204
    assert api.get("/datasets/questions").status_code == 404


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"key": ""}, "items[0].key"),
        ({"key": "k" * 256}, "items[0].key"),
        ({"key": "k", "variables": []}, "items[0].variables"),
        ({"key": "k", "variables": {"a": "x" * 70_000}}, "items[0].variables"),
        ({"key": "k", "expected": "x" * 70_000}, "items[0].expected"),
        ({"key": "k\0"}, "items[0].key"),
        ({"key": "k", "more": 1}, "items[0].more"),
    ],
)
def test_it_refuses_wrong_items_by_name(api: Api, prompt: Prompt, item: dict[str, Any], field: str) -> None:
    response = api.put("/datasets/questions/items", {"items": [item]})
    assert response.status_code == 422
    assert field in problems(response)
    assert api.get("/datasets/questions").json()["count"] == 8


def test_a_taken_name_is_a_conflict(api: Api, prompt: Prompt) -> None:
    assert api.post("/datasets", {"name": "questions"}).status_code == 409
    assert "name" in problems(api.post("/datasets", {"name": "a/b"}))


def test_versions_are_compared_on_the_same_items(api: Api, prompt: Prompt) -> None:
    first, second = run(api, 1, "nnnnnnny"), run(api, 2, "yyyyyyyy")
    assert (first["status"], first["done"], first["total"], first["version"]) == ("done", 8, 8, 1)
    found = api.get("/prompts/support/triage/comparison", **{"from": 1, "to": 2}).json()
    test = found["test"]
    assert (test["test"], test["n"], test["wins"], test["losses"]) == ("mcnemar", 8, 7, 0)
    assert test["p"] == pytest.approx(2 * 0.5**7)
    assert test["estimate"] == pytest.approx(7 / 8)
    assert {one["item"] for one in found["items"]} == {f"q{number}" for number in range(7)}
    scores = api.get("/prompts/support/triage/scores").json()["items"]
    assert [(one["version"], one["n"], one["mean"]) for one in scores] == [(2, 8, 1.0), (1, 8, 0.125)]
    results = api.get(f"/runs/{second['id']}/results", limit=1).json()
    assert results["items"][0]["scores"] == {"": 1.0, "exact_match": 1.0}
    assert results["total"] == 8
    listed = api.get("/runs", dataset="questions").json()["items"]
    assert {one["id"] for one in listed} == {first["id"], second["id"]}


def test_a_gate_looks_at_the_runs(api: Api, prompt: Prompt) -> None:
    api.put("/prompts/support/triage/labels/production", {"version": 1})
    api.put("/labels/production", {"evidence": "better", "minimum_items": 8})
    moved = api.put("/prompts/support/triage/labels/production", {"version": 2})
    assert moved.status_code == 409
    assert moved.json()["detail"][0]["evidence"]["n"] == 0
    run(api, 1, "nnnnnnny")
    run(api, 2, "nnnnyyyy")
    refused = api.put("/prompts/support/triage/labels/production", {"version": 2})
    assert refused.status_code == 409
    assert refused.json()["detail"][0]["evidence"]["p"] == pytest.approx(0.25)
    assert api.get("/prompts/support/triage/labels").json()["labels"]["production"] == 1
    run(api, 2, "yyyyyyyy")
    allowed = api.put("/prompts/support/triage/labels/production", {"version": 2}).json()
    assert (allowed["moved"], allowed["evidence"]["wins"]) == (True, 7)
    assert api.get("/prompts/support/triage/moves").json()["items"][0]["evidence"]["wins"] == 7


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"prompt": "none"}, 404, "prompt"),
        ({"version": 9}, 404, "version"),
        ({"dataset": "none"}, 404, "dataset"),
        ({"metrics": []}, 422, "metrics"),
        ({"metrics": [{"type": "regex", "pattern": "("}]}, 422, "metrics[0].pattern"),
        ({"model": "m", "parameters": {"tools": 1}}, 422, "parameters.tools"),
        ({"model": "m", "budget": 1.0}, 422, "budget"),
        ({"budget": 0.0}, 422, "budget"),
    ],
)
def test_it_refuses_wrong_runs_by_name(
    api: Api, prompt: Prompt, change: dict[str, Any], status: int, field: str
) -> None:
    asked = {"prompt": "support/triage", "dataset": "questions", "metrics": [{"type": "contains"}]}
    response = api.post("/runs", asked | change)
    assert response.status_code == status
    assert field in problems(response)
    assert api.get("/runs").json()["total"] == 0


def test_runs_are_listed_the_last_begun_first(api: Api, prompt: Prompt) -> None:
    made = [run(api, 1, "yyyyyyyy")["id"] for _ in range(4)]
    assert [one["id"] for one in api.get("/runs").json()["items"]] == made[::-1]


def test_listing_takes_the_same_queries_for_any_number(
    api: Api, prompt: Prompt, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        run(api, 1, "yyyyyyyy")
    with django_assert_num_queries(2):  # page, total
        api.get("/runs")
    with django_assert_num_queries(2):
        api.get("/datasets")
    with django_assert_num_queries(3):  # dataset, page, total
        api.get("/datasets/questions/items")


def test_a_split_is_started_counted_and_ended(api: Api, prompt: Prompt) -> None:
    split = "/prompts/support/triage/labels/production/split"
    assert api.get(split).status_code == 404
    api.put("/prompts/support/triage/labels/production", {"version": 1})
    arms = [{"version": 1, "weight": 1}, {"version": 2, "weight": 1}]
    started = api.post(split, {"arms": arms, "reason": "Is it better?"})
    assert started.status_code == 201, started.content
    assert started.json()["is_running"]
    served = set()
    for number in range(40):
        answer = api.get("/prompts/support/triage", label="production", subject=f"u{number}").json()
        served.add(answer["version"])
        rendered = api.post(
            "/prompts/support/triage/render",
            {"label": "production", "subject": f"u{number}", "variables": {"resume": "x"}},
        ).json()
        assert rendered["version"] == answer["version"]
        outcome = {"subject": f"u{number}", "value": float(answer["version"] == 2)}
        told = api.post("/prompts/support/triage/labels/production/outcomes", outcome).json()
        assert told == {"version": answer["version"], "outcome": outcome["value"]}
    assert served == {1, 2}
    report = api.get(split).json()
    assert sum(arm["exposures"] for arm in report["arms"]) == 40
    assert (report["stop"], report["winner"]) == (True, 2)
    assert api.post(split, {"arms": arms}).status_code == 409
    ended = api.delete(split).json()
    assert (ended["is_running"], ended["winner"]) == (False, 2)
    assert api.get(split).json()["id"] == ended["id"]
    assert api.get("/prompts/support/triage", label="production", subject="u1").json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subject": "", "value": 1}, "subject"),
        ({"subject": "a", "value": 2}, "value"),
        ({"subject": "a" * 1001, "value": 1}, "subject"),
        ({"subject": "a", "value": "1"}, "value"),
    ],
)
def test_it_refuses_wrong_outcomes_by_name(api: Api, prompt: Prompt, body: Any, field: str) -> None:
    response = api.post("/prompts/support/triage/labels/production/outcomes", body)
    assert response.status_code == 422
    assert field in problems(response)
