from collections.abc import Callable
from typing import Any

import pytest

from prompts.models import Prompt
from tests.api.conftest import Api, problems

Make = Callable[..., Prompt]


@pytest.fixture
def prompt(make: Make) -> Prompt:
    prompt = make("greeting", "Hello\nworld\n")
    for content in ("Hello\n{{name}}\n", "Hello\n{{name}}\nBye"):
        prompt.content = content
        prompt.save(message="changed")
    return prompt


def test_versions_are_listed_newest_first_with_parent_author_and_message(api: Api, prompt: Prompt) -> None:
    page = api.get(f"/prompts/{prompt.pk}/versions").json()
    assert [(one["version"], one["parent"]) for one in page["items"]] == [(3, 2), (2, 1), (1, None)]
    assert {one["author"] for one in page["items"]} == {"aoi"}
    assert page["items"][0]["message"] == "changed"
    assert len(page["items"][0]["content_hash"]) == 64
    assert "content" not in page["items"][0]


def test_listing_versions_takes_the_same_queries_for_any_number(
    api: Api, prompt: Prompt, django_assert_num_queries: Any
) -> None:
    api.get("/prompts")
    with django_assert_num_queries(4):  # prompt, page, labels, total
        api.get(f"/prompts/{prompt.pk}/versions")


def test_one_version_has_its_content(api: Api, prompt: Prompt) -> None:
    assert api.get(f"/prompts/{prompt.pk}/versions/1").json()["content"] == "Hello\nworld\n"
    assert api.get(f"/prompts/{prompt.pk}/versions/9").status_code == 404
    assert api.get("/prompts/none/versions").status_code == 404
    assert api.get("/prompts/none/versions/1").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**70)])
def test_a_version_is_a_positive_number(api: Api, prompt: Prompt, number: str) -> None:
    response = api.get(f"/prompts/{prompt.pk}/versions/{number}")
    assert response.status_code == 422
    assert "version" in problems(response)


def test_a_diff_is_one_that_patch_reads(api: Api, prompt: Prompt) -> None:
    diff = api.get(f"/prompts/{prompt.pk}/diff", **{"from": 1, "to": 3}).json()
    assert diff == {
        "from": 1,
        "to": 3,
        "added": 2,
        "removed": 1,
        "complete": True,
        "unified": (
            "--- v1\n+++ v3\n@@ -1,2 +1,3 @@\n Hello\n-world\n+{{name}}\n+Bye\n\\ No newline at end of file\n"
        ),
        "changes": [],
        "rows": None,
    }


def test_a_diff_of_a_version_with_itself_is_empty(api: Api, prompt: Prompt) -> None:
    diff = api.get(f"/prompts/{prompt.pk}/diff", **{"from": 2, "to": 2}).json()
    assert (diff["unified"], diff["added"], diff["removed"]) == ("", 0, 0)


def test_changes_far_apart_are_hunks_of_their_own(api: Api, make: Make) -> None:
    lines = [f"line {number}" for number in range(1, 41)]
    prompt = make("long", "\n".join(lines))
    lines[1], lines[30] = "changed", "changed too"
    prompt.content = "\n".join(lines)
    prompt.save()
    diff = api.get(f"/prompts/{prompt.pk}/diff", **{"from": 1, "to": 2}).json()
    headers = [line for line in diff["unified"].splitlines() if line.startswith("@@")]
    assert headers == ["@@ -1,5 +1,5 @@", "@@ -28,7 +28,7 @@"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"from": 1}, "to"), ({"from": "a", "to": 1}, "from"), ({"from": 0, "to": 1}, "from")],
)
def test_a_diff_needs_two_versions(api: Api, prompt: Prompt, query: dict[str, Any], field: str) -> None:
    response = api.get(f"/prompts/{prompt.pk}/diff", **query)
    assert response.status_code == 422
    assert list(problems(response)) == [field]


def test_a_diff_with_an_unknown_version_is_not_found(api: Api, prompt: Prompt) -> None:
    assert api.get(f"/prompts/{prompt.pk}/diff", **{"from": 1, "to": 9}).status_code == 404
