"""Two environments compared over REST, and one merged into the other."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections

import ops.api
from ops.environments.local import Provider
from ops.environments.opening import opened
from prompts.models import ApiKey, Prompt, PromptVersion, User
from tests.api.conftest import Api, bearer

from .conftest import LINES, change, contents

pytestmark = pytest.mark.django_db


def merge(api: Api, target: str = "stable", **body: Any) -> Any:
    return api.post(f"/environments/{target}/merge", {"source": "feature", **body})


@pytest.fixture
def conflict(branches: Provider) -> Provider:
    """Both have changed the second line and the title."""
    change(branches, "stable", "p", LINES.replace("two", "TWO"), title="Ours")
    change(branches, "feature", "p", LINES.replace("two", "二"), title="Theirs")
    return branches


def test_what_differs_is_told(api: Api, branches: Provider) -> None:
    change(branches, "feature", "new", "要約\n", title="新")
    change(branches, "feature", "p", LINES.replace("two", "二"))
    change(branches, "stable", "only/here", "x")
    found = api.get("/environments/feature/diff/stable").json()
    assert (found["left"], found["right"], found["same"], found["details"]) == ("feature", "stable", 0, None)
    assert [one["name"] for one in found["only_left"]] == ["new"]
    assert [one["name"] for one in found["only_right"]] == ["only/here"]
    [one] = found["differing"]
    assert one["differing"] == ["content"]
    assert one["common"] == {"left": 1, "right": 1}
    assert [version["version"] for version in one["only_left"]] == [2]
    assert one["only_right"] == []


def test_details_are_added_when_asked_for(api: Api, branches: Provider) -> None:
    change(branches, "feature", "p", LINES.replace("two", "二"), title="題")
    change(branches, "feature", "new", "x")
    found = api.get("/environments/feature/diff/stable", full=True, prompt=["p"]).json()
    [detail] = found["details"]
    assert detail["fields"] == {"title": {"left": "題", "right": "Title"}}
    assert detail["unified"].startswith("--- feature/p v2\n+++ stable/p v1\n")
    assert "-二\n+two\n" in detail["unified"]


def test_prompts_are_chosen_by_name(api: Api, branches: Provider) -> None:
    for name in ("a", "b", "c"):
        change(branches, "feature", name, "x")
    found = api.get("/environments/feature/diff/stable", prompt=["a", "c", "p"]).json()
    assert [one["name"] for one in found["only_left"]] == ["a", "c"]
    assert found["same"] == 1
    assert merge(api, prompts=["a"]).status_code == 200
    assert set(contents(branches, "stable")) == {"a", "p"}


def test_details_of_too_many_are_refused(
    api: Api, branches: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.api, "MAX_DETAILS", 1)
    change(branches, "feature", "a", "x")
    assert api.get("/environments/feature/diff/stable", full=True).status_code == 200
    change(branches, "feature", "b", "x")
    answer = api.get("/environments/feature/diff/stable", full=True)
    assert (answer.status_code, "got 2" in answer.json()["detail"]) == (422, True)


def test_what_both_changed_apart_is_merged_and_signed(api: Api, branches: Provider) -> None:
    change(branches, "stable", "p", LINES.replace("one", "ONE"))
    change(branches, "feature", "p", LINES.replace("five", "五"))
    answer = merge(api, message="Ticket 42")
    assert answer.status_code == 200, answer.json()
    assert [(one["name"], one["action"]) for one in answer.json()["prompts"]] == [("p", "merged")]
    assert contents(branches, "stable") == {"p": LINES.replace("one", "ONE").replace("five", "五")}
    with opened(branches, "stable") as alias:
        newest = PromptVersion.objects.using(alias).order_by("version").last()
        assert newest is not None
        assert newest.author_id == "a" * 32  # as stable knows who asked
        assert "feature" in newest.message
        assert newest.message.endswith("Ticket 42")
    assert merge(api).json()["prompts"] == []


def test_conflicts_are_listed_and_nothing_is_written(api: Api, conflict: Provider) -> None:
    change(conflict, "feature", "new", "x")
    before = contents(conflict, "stable")
    answer = merge(api)
    assert answer.status_code == 409
    found = answer.json()["detail"]
    assert [(one["prompt"], one["field"]) for one in found] == [("p", "content"), ("p", "title")]
    assert found[0]["text"].startswith("<<<<<<< ours, line 2\nTWO\n")
    assert "=======\n二\n>>>>>>> theirs, line 2\n" in found[0]["text"]
    assert all(set(one) == {"prompt", "field", "text", "msg"} for one in found)
    assert contents(conflict, "stable") == before


@pytest.mark.parametrize(("resolve", "line", "title"), [("ours", "TWO", "Ours"), ("theirs", "二", "Theirs")])
def test_one_side_wins_where_asked(api: Api, conflict: Provider, resolve: str, line: str, title: str) -> None:
    assert merge(api, resolve=resolve).status_code == 200
    assert contents(conflict, "stable") == {"p": LINES.replace("two", line)}
    with opened(conflict, "stable") as alias:
        assert Prompt.objects.using(alias).get().title == title


def test_a_dry_run_tells_and_writes_nothing(api: Api, conflict: Provider) -> None:
    before = contents(conflict, "stable")
    conflicts = merge(api, dry_run=True)
    assert (conflicts.status_code, len(conflicts.json()["conflicts"])) == (200, 2)
    found = merge(api, dry_run=True, resolve="theirs").json()
    assert ([one["name"] for one in found["prompts"]], found["dry_run"]) == (["p"], True)
    assert contents(conflict, "stable") == before


def test_the_current_environment_is_merged_into_as_well(api: Api, branches: Provider) -> None:
    assert merge(api, "prod").status_code == 200
    prompt = Prompt.objects.get(name="p")
    assert (prompt.content, prompt.user.username) == (LINES, "aoi")


def test_a_frozen_target_says_why(api: Api, branches: Provider) -> None:
    change(branches, "feature", "new", "x")
    branches.freeze("stable", "引越し中")
    answer = merge(api)
    assert (answer.status_code, "引越し中" in answer.json()["detail"]) == (423, True)
    assert merge(api, dry_run=True).status_code == 200
    assert set(contents(branches, "stable")) == {"p"}


def test_one_whose_migrations_are_unfinished_is_refused(api: Api, branches: Provider) -> None:
    with opened(branches, "feature") as alias, connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'prompts' AND name LIKE '0002%'")
    for answer in (api.get("/environments/stable/diff/feature"), merge(api)):
        assert (answer.status_code, "lacks the migrations" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("source", "target", "body", "status", "text"),
    [
        ("stable", "stable", {}, 422, "same database"),
        ("feature", "stable", {"prompts": ["nothing"]}, 404, "'nothing'"),
        ("nowhere", "stable", {}, 404, "There are: feature"),
        ("feature", "nowhere", {}, 404, "There are: feature"),
        ("..%2f", "stable", {}, 422, "lower-case letters"),
        ("feature", "..%252f", {}, 422, "lower-case letters"),
        ("feature", "stable", {"resolve": "mine"}, 422, "resolve"),
        ("feature", "stable", {"force": True}, 422, "force"),
        ("feature", "stable", {"message": "\0"}, 422, "message"),
    ],
)
def test_what_cannot_be_merged_is_refused(
    api: Api, branches: Provider, source: str, target: str, body: dict[str, Any], status: int, text: str
) -> None:
    change(branches, "feature", "new", "x")
    answer = merge(api, target, **{"source": source} | body)
    assert (answer.status_code, text in str(answer.json()["detail"])) == (status, True), answer.json()
    assert set(contents(branches, "stable")) == {"p"}


@pytest.mark.parametrize(
    ("path", "query", "status", "text"),
    [
        ("stable/diff/stable", {}, 422, "same database"),
        ("stable/diff/nowhere", {}, 404, "There are: feature"),
        ("..%252f/diff/stable", {}, 422, "lower-case letters"),
        ("stable/diff/..%252f", {}, 422, "lower-case letters"),
        ("..%2f/diff/stable", {}, 404, "no such path"),
        ("feature/diff/stable", {"prompt": "nothing"}, 404, "'nothing'"),
        ("feature/diff/stable", {"full": "perhaps"}, 422, "full"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    api: Api, branches: Provider, path: str, query: dict[str, str], status: int, text: str
) -> None:
    answer = api.get(f"/environments/{path}", **query)
    assert (answer.status_code, text in str(answer.json()["detail"])) == (status, True), answer.json()


def test_only_those_may_who_are_permitted(user: User, branches: Provider, settings: Any) -> None:
    settings.AFN_PUBLIC_READ = True
    change(branches, "feature", "new", "x")
    path = "/environments/feature/diff/stable"
    assert Api().get(path).status_code == 401
    caller = Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))
    assert caller.get(path).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_environment"))
    assert caller.get(path).status_code == 200
    assert merge(caller).status_code == 403
    assert set(contents(branches, "stable")) == {"p"}
