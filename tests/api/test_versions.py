import json
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


CHAT = [{"role": "user", "content": "{{question}}"}, {"type": "placeholder", "name": "history"}]


def test_a_version_is_added_with_what_is_given(api: Api, prompt: Prompt) -> None:
    path = f"/prompts/{prompt.pk}/versions"
    new = {"content": "Dear {{name}}", "config": {"t": 1}, "labels": ["beta"], "message": "Polite"}
    made = api.post(path, new)
    assert made.status_code == 201
    body = made.json()
    assert (body["version"], body["parent"], body["labels"], body["message"]) == (
        4,
        3,
        ["beta", "latest"],
        "Polite",
    )
    assert api.get(f"{path}/4").json() == body
    # What is left out is as in the newest one.
    body = api.post(path, {"variables": {"name": {"type": "number"}}}).json()
    assert (body["version"], body["content"], body["config"]) == (5, "Dear {{name}}", {"t": 1})


def test_identical_payloads_are_reused_or_refused(api: Api, prompt: Prompt) -> None:
    path, same = f"/prompts/{prompt.pk}/versions", {"content": prompt.content}
    reused = api.post(path, same | {"labels": ["beta"]})
    assert (reused.status_code, reused.json()["version"], reused.json()["labels"]) == (
        200,
        3,
        ["beta", "latest"],
    )
    refused = api.post(path, same | {"if_identical": "refuse", "labels": ["other"]})
    assert refused.status_code == 409
    assert problems(refused)["content"].endswith("got the same as 3")
    assert api.get(f"/prompts/{prompt.pk}/labels").json()["labels"] == {"latest": 3, "beta": 3}
    assert api.post(path, same | {"if_identical": "maybe"}).status_code == 422
    assert api.post(path, {}).status_code == 200


@pytest.mark.parametrize("config", [{"a": True}, {"a": 1.0}, {"a": "1"}, {"a": 1, "b": None}])
def test_values_that_are_equal_in_python_only_are_changes(api: Api, prompt: Prompt, config: Any) -> None:
    path = f"/prompts/{prompt.pk}"
    assert api.patch(path, {"config": {"a": 1}}).json()["version"] == 4
    assert api.patch(path, {"config": {"a": 1}}).json()["version"] == 4
    changed = api.patch(path, {"config": config}).json()
    assert changed["version"] == 5
    assert json.dumps(changed["config"]) == json.dumps(config)


def test_who_knows_another_newest_version_is_refused(api: Api, prompt: Prompt) -> None:
    for send, path in ((api.post, f"/prompts/{prompt.pk}/versions"), (api.patch, f"/prompts/{prompt.pk}")):
        refused = send(path, {"content": "mine", "base_version": 2})
        assert refused.status_code == 409
        assert problems(refused)["base_version"] == "Expected version 2 to be the newest, got version 3"
    assert (
        api.post(f"/prompts/{prompt.pk}/versions", {"content": "mine", "base_version": 3}).status_code == 201
    )


def test_an_old_version_is_restored_as_a_new_one(api: Api, prompt: Prompt) -> None:
    path = f"/prompts/{prompt.pk}/versions"
    restored = api.post(f"{path}/1/restore", {"message": "Better"})
    assert restored.status_code == 201
    assert (restored.json()["version"], restored.json()["content"]) == (4, "Hello\nworld\n")
    assert restored.json()["message"] == "Better"
    assert api.post(f"{path}/4/restore", {}).status_code == 200
    assert api.post(f"{path}/9/restore", {}).status_code == 404


def test_blame_tells_who_brought_each_line(api: Api, prompt: Prompt) -> None:
    blame = api.get(f"/prompts/{prompt.pk}/blame").json()
    told = [(one["number"], one["text"], one["version"], one["author"]) for one in blame["lines"]]
    assert told == [(1, "Hello\n", 1, "aoi"), (2, "{{name}}\n", 2, "aoi"), (3, "Bye", 3, "aoi")]
    assert (blame["version"], blame["is_complete"]) == (3, True)
    assert api.get(f"/prompts/{prompt.pk}/blame", version=1).json()["lines"][1]["text"] == "world\n"
    assert api.get(f"/prompts/{prompt.pk}/blame", version=9).status_code == 404


def test_a_diff_by_words_has_rows(api: Api, prompt: Prompt) -> None:
    diff = api.get(f"/prompts/{prompt.pk}/diff", **{"from": 1, "to": 2, "words": "true"}).json()
    assert diff["rows"][0]["old"] == diff["rows"][0]["new"] == [{"kind": "equal", "text": "Hello\n"}]
    assert any(one["kind"] == "insert" for row in diff["rows"] for one in row["new"])


def test_more_rows_than_anybody_reads_are_refused(api: Api, make: Make) -> None:
    prompt = make("long", "x\n" * 20_000)
    prompt.content += "y\n"
    prompt.save(index=False)
    query = {"from": 1, "to": 2}
    refused = api.get("/prompts/long/diff", **query, words="true")
    assert refused.status_code == 422
    assert "20,000 lines in all, got 20,001" in problems(refused)["words"]
    assert api.get("/prompts/long/diff", **query).json()["added"] == 1
    assert api.get("/prompts/long/blame", version=2).status_code == 422


def test_a_diff_tells_what_changed_beside_the_content(api: Api, prompt: Prompt) -> None:
    path = f"/prompts/{prompt.pk}/versions"
    api.post(path, {"config": {"t": 1, "m": "a"}})
    api.post(path, {"config": {"t": True}})
    diff = api.get(f"/prompts/{prompt.pk}/diff", **{"from": 4, "to": 5}).json()
    assert diff["unified"] == ""
    assert diff["changes"] == [
        {"field": "config.t", "from": 1, "to": True},
        {"field": "config.m", "from": "a", "to": None},
    ]


def test_a_chat_goes_in_and_comes_out_as_messages(api: Api) -> None:
    made = api.post("/prompts", {"name": "c", "title": "C", "content": CHAT})
    assert made.status_code == 201
    assert (made.json()["type"], made.json()["content"], made.json()["placeholders"]) == (
        "chat",
        CHAT,
        ["history"],
    )
    assert api.get("/prompts/c/versions/1").json()["content"] == CHAT
    changed = [{"role": "system", "content": "Be kind."}, *CHAT]
    assert api.post("/prompts/c/versions", {"content": changed}).json()["content"] == changed
    diff = api.get("/prompts/c/diff", **{"from": 1, "to": 2}).json()
    assert "+[system]\n+Be kind.\n" in diff["unified"]
    assert [one["text"] for one in api.get("/prompts/c/blame").json()["lines"]][:2] == [
        "[system]\n",
        "Be kind.\n",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a text", "a list of messages, as in all versions"),
        ([], "1 to 500 messages"),
        ([{"role": "user"}], "(content[0].content)"),
        ([{"role": "user", "content": "a\u0000"}], "(content[0].content)"),
        ([{"role": "user", "content": "x"}] * 501, "1 to 500 messages"),
        ([{"role": "user", "content": "x" * 600_000}] * 2, "at most 1,000,000 characters"),
        ([{"type": "placeholder", "name": "q"}, {"role": "user", "content": "{{q}}"}], "q as both"),
        (None, "text"),
        ({"role": "user", "content": "x"}, "text"),
    ],
)
def test_what_is_no_chat_is_refused(api: Api, content: Any, told: str) -> None:
    api.post("/prompts", {"name": "c", "title": "C", "content": CHAT})
    response = api.post("/prompts/c/versions", {"content": content})
    assert response.status_code == 422
    assert told in problems(response)["content"]
    assert api.get("/prompts/c").json()["version"] == 1


def test_a_text_takes_no_messages(api: Api, prompt: Prompt) -> None:
    response = api.patch(f"/prompts/{prompt.pk}", {"content": CHAT})
    assert problems(response)["content"] == "Expected a text, as in all versions, got a list."


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a/b c", "a/b%20c"),
        ("要約/文章", "要約/文章"),
        ("a?b#c&d", "a%3Fb%23c%26d"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("...", "..."),
    ],
)
def test_names_are_found_in_paths(api: Api, make: Make, name: str, path: str) -> None:
    make(name, "x")
    assert api.get(f"/prompts/{path}").json()["name"] == name
    assert api.get(f"/prompts/by-name/{path}").json()["name"] == name
    assert api.get(f"/prompts/{path}/versions").json()["total"] == 1
    assert api.get(f"/prompts/{path}/labels").json()["labels"] == {"latest": 1}


@pytest.mark.parametrize(
    "ending", ["versions", "versions/1", "labels", "blame", "graph", "render", "archive"]
)
def test_a_name_that_ends_as_a_path_does_is_read_by_name_or_id(api: Api, make: Make, ending: str) -> None:
    prompt = make(f"a/{ending}", "x")
    assert api.get(f"/prompts/by-name/a/{ending}").json()["id"] == prompt.pk
    assert api.get(f"/prompts/{prompt.pk}").json()["name"] == f"a/{ending}"
    assert api.get(f"/prompts/{prompt.pk}/versions").json()["total"] == 1


def test_a_name_that_is_an_id_does_not_hide_whose_id_it_is(api: Api, make: Make) -> None:
    first = make("first", "one")
    second = make(first.pk, "two")
    assert api.get(f"/prompts/{first.pk}").json()["content"] == "one"
    assert api.get(f"/prompts/by-name/{first.pk}").json()["content"] == "two"
    assert api.delete(f"/prompts/{first.pk}").status_code == 204
    assert api.get(f"/prompts/{first.pk}").json()["id"] == second.pk


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "a/../b",
        "./a",
        "a/.",
        "a\u200fb",
        "a\u202eb",
        "a\u2028b",
        "a//b",
        "a/",
        " a",
        "a|b",
        "a\nb",
    ],
)
def test_names_that_would_not_be_found_again_are_refused(api: Api, name: str) -> None:
    response = api.post("/prompts", {"name": name, "title": "T", "content": "x"})
    assert response.status_code == 422
    assert "name" in problems(response)
