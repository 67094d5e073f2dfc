"""Prompts that include others, and reading by label, version and time, through the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from prompts.models import LabelMove, Prompt, PromptVersion
from tests.api.conftest import Api, problems, statements

Make = Callable[..., Prompt]


def tag(name: str, where: str = "label=production") -> str:
    return f"@@@prompt:name={name}|{where}@@@"


@pytest.fixture
def rules(api: Api) -> None:
    new = {"name": "rules", "title": "R", "content": "Be {{tone}}.", "labels": ["production"]}
    assert api.post("/prompts", new).status_code == 201


@pytest.fixture
def root(api: Api, rules: None) -> None:
    new = {"name": "root", "title": "R", "content": f"{tag('rules')} Answer {{{{question}}}}."}
    assert api.post("/prompts", new | {"labels": ["production"]}).status_code == 201


def test_a_prompt_is_read_with_what_it_includes(api: Api, root: None) -> None:
    body = api.get("/prompts/root").json()
    assert body["content"] == "Be {{tone}}. Answer {{question}}."
    assert list(body["variables"]) == ["tone", "question"]
    assert body["graph"] == api.get("/prompts/root/graph").json()["graph"]
    assert [one["name"] for one in body["graph"]["dependencies"][body["graph"]["root"]["id"]]] == ["rules"]
    plain = api.get("/prompts/root", resolve="false").json()
    assert plain["content"].startswith("@@@prompt:")
    assert (plain["graph"], list(plain["variables"])) == (None, ["question"])
    rendered = api.post("/prompts/root/render", {"variables": {"tone": "kind", "question": "@@@"}})
    assert rendered.json()["content"] == "Be kind. Answer @@@."


def test_dependants_are_listed(api: Api, root: None) -> None:
    for number in range(4):
        api.post("/prompts/root/versions", {"content": f"{number} {tag('rules')}"})
    assert statements(api, "/prompts/rules/dependants") == 3  # prompt, versions, labels
    items = api.get("/prompts/rules/dependants").json()["items"]
    assert [(one["name"], one["version"], one["is_latest"]) for one in items] == [
        ("root", number, number == 5) for number in (5, 4, 3, 2, 1)
    ]
    assert items[-1]["labels"] == ["production"]
    page = api.get("/prompts/rules/dependants", limit=2, offset=1).json()
    assert page == {"items": items[1:3], "total": 5, "limit": 2, "offset": 1}


@pytest.mark.parametrize(
    "content",
    [
        tag("none"),
        tag("rules", "label=gone"),
        tag("new"),
        "@@@prompt:rules@@@",
        tag("rules", "version=7"),
        tag("chat"),
    ],
)
def test_what_could_not_be_composed_is_not_stored(api: Api, rules: None, content: str) -> None:
    api.post("/prompts", {"name": "chat", "title": "C", "content": [{"role": "user", "content": "x"}]})
    response = api.post("/prompts", {"name": "new", "title": "N", "content": content})
    assert response.status_code == 422
    assert "content" in problems(response)
    assert not Prompt.objects.filter(name="new").exists()


def test_ten_thousand_references_are_refused_at_once(api: Api, make: Make) -> None:
    text = "".join(tag(f"p{n}") for n in range(20_000))
    response = api.post("/prompts", {"name": "new", "title": "N", "content": text})
    assert response.status_code == 422
    assert "at most 500 included prompts" in problems(response)["content"]


def test_what_cannot_be_composed_any_more_is_a_conflict(api: Api, root: None) -> None:
    Prompt.objects.filter(name="rules").update(deleted_at="2026-01-01T00:00Z")
    for response in (
        api.get("/prompts/root"),
        api.get("/prompts/root/graph"),
        api.post("/prompts/root/render", {}),
    ):
        assert response.status_code == 409
        assert "rules (production)" in response.json()["detail"][0]["msg"]
    assert api.get("/prompts/root", resolve="false").status_code == 200


def test_a_move_that_would_break_an_application_is_a_conflict(api: Api, root: None) -> None:
    new = {"content": "Be {{ tone }}.", "template_format": "jinja2"}
    assert api.post("/prompts/rules/versions", new).status_code == 201
    response = api.put("/prompts/rules/labels/production", {"version": 2})
    assert response.status_code == 409
    assert "root v1 can still be composed" in problems(response)["content"]
    assert api.get("/prompts/root").json()["content"].startswith("Be {{tone}}.")


def test_renaming_what_is_included_is_a_conflict(api: Api, root: None) -> None:
    response = api.patch("/prompts/rules", {"name": "other"})
    assert response.status_code == 409
    assert "root v1 includes rules" in problems(response)["name"]


@pytest.fixture
def history(api: Api) -> None:
    """``p`` with three versions, a day apart, and ``production`` on each for a day; then it came off."""
    api.post("/prompts", {"name": "p", "title": "P", "content": "1"})
    for number in (2, 3):
        api.post("/prompts/p/versions", {"content": str(number)})
    for number in (1, 2, 3):
        api.put("/prompts/p/labels/production", {"version": number})
    api.delete("/prompts/p/labels/production")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER afn_label_moves_kept")
    for day, move in enumerate(LabelMove.objects.order_by("id"), start=1):
        LabelMove.objects.filter(pk=move.pk).update(created_at=f"2026-05-0{day}T12:00Z")
    for version in PromptVersion.objects.all():
        PromptVersion.objects.filter(pk=version.pk).update(created_at=f"2026-05-0{version.version}T00:00Z")


@pytest.mark.parametrize(
    ("at", "label", "version"),
    [
        ("2026-05-01T11:59:59Z", "production", None),
        ("2026-05-01T12:00:00Z", "production", 1),
        ("2026-05-02T21:00:00+09:00", "production", 2),
        ("2026-05-02T20:59:00+09:00", "production", 1),
        ("2026-05-03T23:00:00Z", "production", 3),
        ("2026-05-04T12:00:00Z", "production", None),
        ("2026-04-30T00:00:00Z", "latest", None),
        ("2026-05-02T00:00:00Z", "latest", 2),
        ("2099-01-01T00:00:00Z", "latest", 3),
        ("2099-01-01T00:00:00Z", "beta", None),
    ],
)
def test_what_a_label_served_at_a_time(
    api: Api, history: None, at: str, label: str, version: int | None
) -> None:
    response = api.get("/prompts/p", at=at, label=label)
    if version is None:
        assert response.status_code == 404
        assert "at" in problems(response)
    else:
        assert response.json()["content"] == str(version)
        assert api.post("/prompts/p/render", {"at": at, "label": label}).json()["content"] == str(version)


@pytest.mark.parametrize(
    "at",
    [
        "yesterday",
        "2026-05-01T12:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00Z",
    ],
)
def test_a_time_that_is_none_is_refused(api: Api, history: None, at: str) -> None:
    for response in (
        api.get("/prompts/p", at=at),
        api.get("/prompts/p/graph", at=at),
        api.post("/prompts/p/render", {"at": at}),
    ):
        assert response.status_code == 422
        assert "at" in problems(response)


def test_a_version_in_the_trash_is_not_read_by_time_either(api: Api, history: None) -> None:
    api.delete("/prompts/p/versions/2")
    assert api.get("/prompts/p", at="2026-05-02T13:00:00Z", label="production").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"version": 1}, 200),
        ({"version": 9}, 404),
        ({"label": "latest"}, 200),
        ({"label": "none"}, 404),
        ({"label": "NONE|'"}, 404),
        ({"version": 1, "label": "latest"}, 422),
        ({"version": 1, "at": "2026-05-02T00:00:00Z"}, 422),
    ],
)
def test_versions_are_named_in_one_way(api: Api, history: None, query: dict[str, Any], status: int) -> None:
    assert api.get("/prompts/p", **query).status_code == status
