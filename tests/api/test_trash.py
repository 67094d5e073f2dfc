"""The trash, through the API."""

from collections.abc import Callable

import pytest

from prompts.models import Prompt, User
from tests.api.conftest import Api, problems, statements

Make = Callable[..., Prompt]


@pytest.fixture
def prompt(make: Make) -> Prompt:
    prompt = make("a/b", "1")
    prompt.content = "2"
    prompt.save(index=False, message="Second")
    return prompt


def test_a_prompt_is_deleted_listed_and_restored(api: Api, prompt: Prompt) -> None:
    assert api.delete("/prompts/a/b").status_code == 204
    assert api.delete("/prompts/a/b").status_code == 404
    (item,) = api.get("/trash").json()["items"]
    assert (item["id"], item["name"], item["version"], item["author"]) == (prompt.pk, "a/b", 2, "aoi")
    assert item["deleted_at"]
    restored = api.post(f"/trash/{prompt.pk}/restore", {})
    assert (restored.status_code, restored.json()["name"]) == (200, "a/b")
    assert api.get("/trash").json()["total"] == 0
    assert api.get("/prompts/a/b").json()["content"] == "2"
    assert api.post(f"/trash/{prompt.pk}/restore", {}).status_code == 404


def test_a_name_that_was_given_away_takes_another(api: Api, prompt: Prompt, make: Make) -> None:
    api.delete("/prompts/a/b")
    make("a/b", "new")
    path = f"/trash/{prompt.pk}/restore"
    taken = api.post(path, {})
    assert taken.status_code == 409
    assert "Restore it under another one" in problems(taken)["name"]
    wrong = api.post(path, {"name": "a|b"})
    assert wrong.status_code == 422
    assert "name" in problems(wrong)
    assert api.post(path, {"name": "a/c"}).json()["name"] == "a/c"


def test_a_version_is_deleted_listed_and_restored(api: Api, prompt: Prompt) -> None:
    assert api.delete("/prompts/a/b/versions/2").status_code == 204
    assert api.get("/prompts/a/b/versions/2").status_code == 404
    assert api.get("/prompts/a/b").json()["version"] == 1
    assert api.get("/prompts/a/b", version=2).status_code == 404
    assert api.get("/prompts/a/b/versions").json()["total"] == 1
    (item,) = api.get("/trash/versions").json()["items"]
    assert (item["prompt"], item["version"], item["message"]) == ("a/b", 2, "Second")
    assert api.post("/prompts/a/b/trash/2/restore").status_code == 204
    assert api.post("/prompts/a/b/trash/2/restore").status_code == 404
    assert api.get("/prompts/a/b").json()["content"] == "2"


def test_what_others_include_is_not_deleted(api: Api, prompt: Prompt, make: Make) -> None:
    make("root", "@@@prompt:name=a/b|version=1@@@")
    for path in ("/prompts/a/b", "/prompts/a/b/versions/1"):
        response = api.delete(path)
        assert response.status_code == 409
        assert "which root v1 includes" in response.json()["detail"][0]["got"]


def test_the_lists_take_the_same_queries_for_any_number(api: Api, make: Make) -> None:
    for number in range(6):
        prompt = make(f"p{number}")
        prompt.content = "other"
        prompt.save(index=False)
        api.delete(f"/prompts/p{number}/versions/1")
        make(f"q{number}")
        api.delete(f"/prompts/q{number}")
    for path in ("/trash", "/trash/versions"):
        assert api.get(path).json()["total"] == 6
        assert statements(api, path) == 2  # page, total


def test_deleting_takes_the_permission(api: Api, prompt: Prompt, user: User) -> None:
    user.user_permissions.clear()
    assert api.delete("/prompts/a/b").status_code == 403
    assert api.delete("/prompts/a/b/versions/1").status_code == 403
    assert api.post("/prompts/a/b/trash/1/restore").status_code == 403
    assert api.post(f"/trash/{prompt.pk}/restore", {}).status_code == 403
