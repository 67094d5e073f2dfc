"""Labels, their log, their policies, through the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from prompts.models import Evaluation, LabelMove, LabelPolicy, Prompt, User
from tests.api.conftest import V1, Api, problems, statements

Make = Callable[..., Prompt]


@pytest.fixture
def prompt(make: Make) -> Prompt:
    """``a/b`` with the versions 1 to 3."""
    prompt = make("a/b", "1")
    for content in ("2", "3"):
        prompt.content = content
        prompt.save(index=False)
    return prompt


def forbid(user: User, *codenames: str) -> None:
    user.user_permissions.remove(*Permission.objects.filter(codename__in=codenames))


def test_a_label_moves_and_comes_off(api: Api, prompt: Prompt) -> None:
    moved = api.put("/prompts/a/b/labels/production", {"version": 2, "reason": "Shorter"})
    assert moved.json() == {
        "label": "production",
        "moved": True,
        "version": 2,
        "from_version": None,
        "evidence": None,
    }
    again = api.put("/prompts/a/b/labels/production", {"version": 2}).json()
    assert (again["moved"], again["from_version"]) == (False, 2)
    assert api.get("/prompts/a/b/labels").json() == {"labels": {"latest": 3, "production": 2}}
    assert api.get("/prompts/a/b", label="production").json()["version"] == 2
    gone = api.delete("/prompts/a/b/labels/production?reason=Over").json()
    assert (gone["version"], gone["from_version"]) == (None, 2)
    assert api.get("/prompts/a/b", label="production").status_code == 404
    assert api.delete("/prompts/a/b/labels/production").status_code == 404


def test_the_log_tells_who_moved_what_and_why(api: Api, prompt: Prompt) -> None:
    for number in (1, 2):
        api.put("/prompts/a/b/labels/production", {"version": number, "reason": f"Reason {number}"})
    api.put("/prompts/a/b/labels/beta", {"version": 1})
    assert api.post("/prompts/a/b/labels/production/undo", {"reason": "Worse"}).json()["version"] == 1
    page = api.get("/prompts/a/b/moves", label="production").json()
    assert page["total"] == 3
    told = [(one["from_version"], one["to_version"], one["reason"], one["actor"]) for one in page["items"]]
    assert told == [(2, 1, "Worse", "aoi"), (1, 2, "Reason 2", "aoi"), (None, 1, "Reason 1", "aoi")]
    assert page["items"][0]["undoes"] == page["items"][1]["id"]
    assert api.get("/prompts/a/b/moves", limit=1).json()["items"][0]["to_version"] == 1


@pytest.mark.parametrize(
    ("label", "body", "status", "field"),
    [
        ("latest", {"version": 1}, 422, "label"),
        ("PROD", {"version": 1}, 422, "label"),
        ("x" * 37, {"version": 1}, 422, "label"),
        ("a%00", {"version": 1}, 422, "label"),
        ("production", {"version": 9}, 404, "version"),
        ("production", {"version": 0}, 422, "version"),
        ("production", {"version": "1"}, 422, "version"),
        ("production", {}, 422, "version"),
        ("production", {"version": 1, "reason": "x" * 2_001}, 422, "reason"),
        ("production", {"version": 1, "force": True}, 422, "force"),
    ],
)
def test_wrong_moves_are_refused_by_field(
    api: Api, prompt: Prompt, label: str, body: Any, status: int, field: str
) -> None:
    response = api.put(f"/prompts/a/b/labels/{label}", body)
    assert response.status_code == status
    assert list(problems(response)) == [field]
    assert not LabelMove.objects.exists()


def test_a_protected_label_takes_the_permission(api: Api, prompt: Prompt, user: User) -> None:
    assert api.put("/labels/production", {"is_protected": True}).status_code == 200
    forbid(user, "move_protected_label")
    for response in (
        api.put("/prompts/a/b/labels/production", {"version": 1}),
        api.post("/prompts/a/b/versions", {"content": "4", "labels": ["production"]}),
        api.patch("/prompts/a/b", {"title": "T", "labels": ["production"]}),
        api.post("/prompts", {"name": "n", "title": "T", "content": "x", "labels": ["production"]}),
    ):
        assert response.status_code == 403
        assert "move_protected_label" in problems(response)["label"]
    assert (prompt.versions.count(), Prompt.objects.count()) == (3, 1)
    assert not LabelMove.objects.exists()


def test_labels_of_what_is_saved_take_the_permission_to_move(api: Api, prompt: Prompt, user: User) -> None:
    forbid(user, "change_promptlabel")
    for response in (
        api.post("/prompts/a/b/versions", {"content": "4", "labels": ["beta"]}),
        api.patch("/prompts/a/b", {"title": "T", "labels": ["beta"]}),
        api.post("/prompts", {"name": "n", "title": "T", "content": "x", "labels": ["beta"]}),
        api.put("/prompts/a/b/labels/beta", {"version": 1}),
    ):
        assert response.status_code == 403
    assert api.post("/prompts/a/b/versions", {"content": "4"}).status_code == 201
    assert not LabelMove.objects.exists()


def test_a_gate_answers_with_the_figures(api: Api, prompt: Prompt) -> None:
    policy = {"evidence": "threshold", "threshold": 0.8, "minimum_items": 2}
    assert api.put("/labels/production", policy).json()["threshold"] == 0.8
    for item in ("a", "b"):
        api.post("/prompts/a/b/evaluations", {"score": 0.5, "item": item, "version": 2})
    response = api.put("/prompts/a/b/labels/production", {"version": 2})
    assert response.status_code == 409
    (problem,) = response.json()["detail"]
    assert (problem["expected"], problem["got"]) == ("a mean score of at least 0.8", "0.5")
    assert problem["evidence"]["n"] == 2
    weighed = api.get("/prompts/a/b/labels/production/evidence", version=2).json()
    assert (weighed["allowed"], weighed["evidence"]) == (False, problem["evidence"])
    Evaluation.objects.update(score=0.9)
    moved = api.put("/prompts/a/b/labels/production", {"version": 2}).json()
    assert moved["evidence"]["estimate"] == 0.9
    assert api.get("/prompts/a/b/moves").json()["items"][0]["evidence"] == moved["evidence"]


@pytest.mark.parametrize("label", ["latest", "PROD"])
def test_what_no_label_can_be_is_not_weighed(api: Api, prompt: Prompt, label: str) -> None:
    assert api.get(f"/prompts/a/b/labels/{label}/evidence", version=1).status_code == 422


def test_all_labels_are_listed_with_their_policies(api: Api, prompt: Prompt, make: Make) -> None:
    api.put("/prompts/a/b/labels/production", {"version": 1})
    api.put("/labels/staging", {"is_protected": True})
    for number in range(6):
        make(f"p{number}")
        api.put(f"/prompts/p{number}/labels/production", {"version": 1})
    api.delete("/prompts/p0")
    assert statements(api, "/labels") == 2  # labels, policies
    items = api.get("/labels").json()["items"]
    second = api.get("/labels", limit=1, offset=1).json()
    assert second == {"items": items[1:], "total": 2, "limit": 1, "offset": 1}
    assert [(one["name"], one["prompts"], bool(one["policy"])) for one in items] == [
        ("production", 6, False),
        ("staging", 0, True),
    ]
    assert api.delete("/labels/staging").status_code == 204
    assert api.delete("/labels/staging").status_code == 404
    assert not LabelPolicy.objects.exists()


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("latest", {}),
        ("UP", {}),
        ("ok", {"evidence": "threshold"}),
        ("ok", {"evidence": "luck"}),
        ("ok", {"minimum_items": 0}),
        ("ok", {"minimum_items": 2**70}),
        ("ok", {"minimum_items": 2**40}),
        ("ok", {"confidence": 1}),
        ("ok", {"margin": 1e300}),
        ("ok", {"score_name": "x" * 65}),
        ("ok", {"score_name": "\0"}),
    ],
)
def test_wrong_policies_are_refused(api: Api, label: str, body: Any) -> None:
    assert api.put(f"/labels/{label}", body).status_code == 422
    assert not LabelPolicy.objects.exists()


def test_the_log_takes_the_same_queries_for_any_number(api: Api, prompt: Prompt) -> None:
    for number in (1, 2, 3, 1, 2):
        api.put("/prompts/a/b/labels/production", {"version": number})
    api.post("/prompts/a/b/labels/production/undo", {})
    assert statements(api, "/prompts/a/b/moves") == 3  # prompt, page, total
    assert statements(api, "/prompts/a/b/labels") == 2  # prompt, labels


def test_who_may_only_read_moves_nothing(api: Api, prompt: Prompt, user: User) -> None:
    user.user_permissions.clear()
    assert api.get("/prompts/a/b/labels").status_code == 200
    assert api.put("/prompts/a/b/labels/production", {"version": 1}).status_code == 403
    assert api.delete("/prompts/a/b/labels/production").status_code == 403
    assert api.post("/prompts/a/b/labels/production/undo", {}).status_code == 403
    assert api.put("/labels/production", {}).status_code == 403


def test_a_body_without_needed_members_may_be_left_out(api: Api, prompt: Prompt) -> None:
    api.put("/prompts/a/b/labels/production", {"version": 1})

    def post(path: str) -> int:
        return api.client.generic("POST", V1 + path, headers=api.headers).status_code

    assert post("/prompts/a/b/labels/production/undo") == 200
    assert post("/prompts/a/b/versions/1/restore") == 201
    api.delete(f"/prompts/{prompt.pk}")
    assert post(f"/trash/{prompt.pk}/restore") == 200
