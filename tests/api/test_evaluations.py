from collections.abc import Callable
from typing import Any

import pytest

from prompts.models import Evaluation, Prompt
from tests.api.conftest import Api, problems


@pytest.fixture
def path(make: Callable[..., Prompt]) -> str:
    prompt = make("greeting", "Hello")
    prompt.content = "Hello {{name}}"
    prompt.save()
    return f"/prompts/{prompt.pk}/evaluations"


def test_an_evaluation_is_of_the_current_version_unless_one_is_named(api: Api, path: str) -> None:
    made = api.post(path, {"score": 0.92, "metrics": {"accuracy": 0.95, "言語": "ja"}})
    assert made.status_code == 201
    assert (made.json()["version"], made.json()["score"]) == (2, 0.92)
    assert api.post(path, {"score": 1, "version": 1}).json()["version"] == 1
    listed = api.get(path).json()
    assert listed["total"] == 2
    assert made.json() in listed["items"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"score": 1.01}, "score"),
        ({"score": -0.1}, "score"),
        ({"score": "0.5"}, "score"),
        ({"score": True}, "score"),
        ({}, "score"),
        ({"score": 0.5, "metrics": [1]}, "metrics"),
        ({"score": 0.5, "version": 3}, "version"),
        ({"score": 0.5, "version": 0}, "version"),
        ({"score": 0.5, "version": 1.5}, "version"),
    ],
)
def test_it_refuses_wrong_members_by_name(api: Api, path: str, body: dict[str, Any], field: str) -> None:
    response = api.post(path, body)
    assert response.status_code == 422
    assert list(problems(response)) == [field]
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_score_is_a_finite_number(api: Api, path: str, score: str) -> None:
    response = api.post(path, b'{"score": %s}' % score.encode())
    assert response.status_code == 422
    assert score in problems(response)["body"]


def test_an_unknown_prompt_is_not_found(api: Api) -> None:
    assert api.get("/prompts/none/evaluations").status_code == 404
    assert api.post("/prompts/none/evaluations", {"score": 1}).status_code == 404


def test_listing_takes_the_same_queries_for_any_number(
    api: Api, path: str, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        api.post(path, {"score": 1})
    with django_assert_num_queries(3):  # prompt, page, total
        api.get(path)
