from collections.abc import Callable
from typing import Any

import pytest

from prompts.labels import move_label
from prompts.models import Prompt, User
from tests.api.conftest import Api, problems

NEW = {
    "name": "writing/resume-rewriter",
    "title": "Resume rewriter",
    "content": "Rewrite this resume:\n{{resume}}",
    "status": "active",
    "language": "en",
    "tags": ["writing", "career"],
    "metadata": {"team": "growth"},
    "message": "First draft",
}
Make = Callable[..., Prompt]


def names(response: Any) -> list[str]:
    return [one["name"] for one in response.json()["items"]]


def test_it_creates_a_prompt_and_reads_it_back(api: Api, user: User) -> None:
    made = api.post("/prompts", NEW)
    assert made.status_code == 201
    body = made.json()
    assert {name: body[name] for name in NEW if name != "message"} == {
        name: value for name, value in NEW.items() if name != "message"
    }
    assert (body["version"], body["folder"], body["author"]) == (1, "writing", "aoi")
    assert len(body["id"]) == 32
    assert body["created_at"].endswith("Z")
    assert api.get(f"/prompts/{body['id']}").json() == body
    assert api.get("/prompts/by-name/writing/resume-rewriter").json() == body


def test_title_name_and_content_are_enough(api: Api) -> None:
    body = api.post("/prompts", {"name": "a", "title": "A", "content": "x"}).json()
    assert (body["status"], body["language"], body["tags"], body["metadata"]) == ("draft", "", [], {})


def test_japanese_goes_in_and_comes_out_as_it_is(api: Api) -> None:
    new = {"name": "文章/要約🌸", "title": "要約", "content": "次の文章を三行で要約してください。\n{{本文}}"}
    response = api.post("/prompts", new | {"tags": ["日本語"], "language": "ja"})
    assert response.status_code == 201
    assert "要約してください" in response.content.decode()
    assert api.get("/prompts/by-name/文章/要約🌸").json()["content"] == new["content"]
    assert names(api.get("/prompts", tag="日本語")) == [new["name"]]


def test_sql_in_a_name_is_text(api: Api) -> None:
    name = "x'); DROP TABLE prompts; --"
    assert api.post("/prompts", NEW | {"name": name}).status_code == 201
    assert names(api.get("/prompts", prefix="x')")) == [name]


def test_the_list_filters_and_leaves_content_out(api: Api, make: Make) -> None:
    make("writing/cv", tags=["career", "text"], language="en", status="active")
    make("writing/letters/cover", tags=["career"], language="ja", status="draft")
    make("code/review", tags=["code"], language="en", status="draft")
    everything = api.get("/prompts").json()
    assert everything["total"] == 3
    assert "content" not in everything["items"][0]
    assert names(api.get("/prompts", status="active")) == ["writing/cv"]
    assert names(api.get("/prompts", tag="code")) == ["code/review"]
    assert names(api.get("/prompts", tag="cod")) == []
    assert set(names(api.get("/prompts", language="en"))) == {"writing/cv", "code/review"}
    assert set(names(api.get("/prompts", folder="writing"))) == {"writing/cv", "writing/letters/cover"}
    assert names(api.get("/prompts", folder="writing/letters")) == ["writing/letters/cover"]
    assert names(api.get("/prompts", prefix="co")) == ["code/review"]
    assert names(api.get("/prompts", tag="career", language="ja")) == ["writing/letters/cover"]


def test_the_list_has_pages_and_a_total(api: Api, make: Make) -> None:
    for number in range(5):
        make(f"p{number}")
    page = api.get("/prompts", limit=2, offset=3).json()
    assert (len(page["items"]), page["total"], page["limit"], page["offset"]) == (2, 5, 2, 3)
    assert api.get("/prompts", offset=10**9).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 101}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 10**30}, "offset"),
        ({"status": "gone"}, "status"),
        ({"tag": "a\0b"}, "tag"),
        ({"folder": "\0"}, "folder"),
        ({"prefix": "\0"}, "prefix"),
        ({"language": "\0"}, "language"),
    ],
)
def test_the_list_refuses_wrong_arguments_by_name(api: Api, query: dict[str, Any], field: str) -> None:
    response = api.get("/prompts", **query)
    assert response.status_code == 422
    assert field in problems(response)


def test_a_list_takes_the_same_queries_for_any_number_of_prompts(
    api: Api, make: Make, django_assert_num_queries: Any
) -> None:
    make("one")
    api.get("/prompts")  # the key's use is noted once a minute
    for number in range(10):
        make(f"p{number}", tags=["t"])
    for prompt in Prompt.objects.all():
        move_label(prompt, "production", 1, actor=None)
    with django_assert_num_queries(4):  # page, labels, their versions, total
        api.get("/prompts", tag="t")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"content": " \n"}, "content"),
        ({"content": "x" * 1_000_001}, "content"),
        ({"name": "a|b"}, "name"),
        ({"name": "/a"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"title": "x" * 256}, "title"),
        ({"language": "x" * 17}, "language"),
        ({"status": "gone"}, "status"),
        ({"tags": "writing"}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": [1]}, "tags[0]"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "\0"}}, "metadata"),
        ({"metadata": {"a": 2**80}}, "metadata"),
        ({"title": 1}, "title"),
        ({"title": None}, "title"),
        ({"tilte": "x"}, "tilte"),
    ],
)
def test_it_refuses_wrong_members_by_name(api: Api, change: dict[str, Any], field: str) -> None:
    response = api.post("/prompts", NEW | change)
    assert response.status_code == 422
    assert field in problems(response)
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("field", ["name", "title", "content", "status", "language", "message"])
@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
def test_it_refuses_text_that_cannot_be_stored(api: Api, field: str, bad: str) -> None:
    response = api.post("/prompts", NEW | {field: bad})
    assert response.status_code == 422
    assert list(problems(response)) == [field]


def test_missing_members_are_named_together(api: Api) -> None:
    assert set(problems(api.post("/prompts", {}))) == {"name", "title", "content"}


def test_a_taken_name_is_a_conflict(api: Api) -> None:
    api.post("/prompts", NEW)
    response = api.post("/prompts", NEW)
    assert response.status_code == 409
    assert "name" in problems(response)


def test_new_content_makes_a_version_and_identical_content_none(api: Api) -> None:
    made = api.post("/prompts", NEW).json()
    path = f"/prompts/{made['id']}"
    changed = api.patch(path, {"content": "Shorter {{resume}}", "message": "Shorter"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.json() == api.get(path).json()
    assert api.patch(path, {"content": "Shorter {{resume}}"}).json()["version"] == 2
    assert api.get(f"{path}/versions").json()["total"] == 2


def test_a_change_leaves_the_other_members_alone(api: Api) -> None:
    made = api.post("/prompts", NEW).json()
    changed = api.patch(
        f"/prompts/{made['id']}", {"title": "履歴書", "tags": [], "metadata": {"a": 1}, "name": "cv"}
    ).json()
    assert changed["updated_at"] > made["updated_at"]
    expected = made | {"title": "履歴書", "tags": [], "metadata": {"a": 1}, "name": "cv", "folder": ""}
    assert changed == expected | {"updated_at": changed["updated_at"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": ""}, "content"),
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"status": ""}, "status"),
        ({"name": ""}, "name"),
        ({"version": 7}, "version"),
        ({"user": "x"}, "user"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    api: Api, make: Make, change: dict[str, Any], field: str
) -> None:
    prompt = make("one")
    response = api.patch(f"/prompts/{prompt.pk}", {"status": "active"} | change)
    assert response.status_code == 422
    assert field in problems(response)
    prompt.refresh_from_db()
    assert (prompt.status, prompt.version) == ("draft", 1)


def test_renaming_to_a_taken_name_is_a_conflict(api: Api, make: Make) -> None:
    make("one")
    assert api.patch(f"/prompts/{make('two').pk}", {"name": "one"}).status_code == 409


def test_archiving_keeps_the_prompt_and_its_history(api: Api, make: Make) -> None:
    prompt = make("one", status="active")
    assert api.post(f"/prompts/{prompt.pk}/archive").json()["status"] == "archived"
    assert api.get(f"/prompts/{prompt.pk}").json()["version"] == 1
    assert api.patch(f"/prompts/{prompt.pk}", {"status": "active"}).json()["status"] == "active"


def test_what_is_deleted_goes_to_the_trash(api: Api, make: Make) -> None:
    prompt = make("one")
    assert api.delete(f"/prompts/{prompt.pk}").status_code == 204
    assert api.get(f"/prompts/{prompt.pk}").status_code == 404
    assert not Prompt.objects.exists()
    assert Prompt.everything.get().versions.count() == 1


@pytest.mark.parametrize("path", ["/prompts/none", "/prompts/by-name/none", "/prompts/by-name/a/b/c"])
def test_an_unknown_prompt_is_not_found(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404


def test_changing_an_unknown_prompt_is_not_found(api: Api) -> None:
    assert api.patch("/prompts/none", {"title": "x"}).status_code == 404
    assert api.post("/prompts/none/archive").status_code == 404


@pytest.mark.parametrize(
    "path", ["/prompts/a/b?lable=production", "/prompts/by-name/a/b?n=1", "/prompts?lable=x", "/bundle?n=1"]
)
def test_a_parameter_that_there_is_not_is_refused(api: Api, make: Callable[..., Prompt], path: str) -> None:
    make("a/b")
    path, _, query = path.partition("?")
    name, _, value = query.partition("=")
    refused = api.get(path, **{name: value} | ({"label": "latest"} if path == "/bundle" else {}))
    assert refused.status_code == 422
    assert list(problems(refused)) == [name]
