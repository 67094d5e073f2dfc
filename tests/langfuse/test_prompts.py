from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from pytest_django.fixtures import Settings

from prompts.models import Evaluation, LabelMove, LabelPolicy, Prompt, PromptVersion, User

from .conftest import Langfuse, client_of, problem

CHAT: list[dict[str, str]] = [
    {"role": "system", "content": "Answer {{tone}}."},
    {"type": "placeholder", "name": "history"},
]


def get(langfuse: Langfuse, name: str, **query: Any) -> dict[str, Any]:
    response = langfuse.get(f"/v2/prompts/{quote(name, safe='')}", **query)
    assert response.status_code == 200, response.content
    return response.json()


def test_a_created_prompt_has_all_members(langfuse: Langfuse) -> None:
    made = langfuse.create(
        "業務/要約", labels=["production"], tags=["a", "b", "a"], config={"n": 1}, commitMessage="First"
    )
    version = PromptVersion.objects.get()
    moments = [made.pop(name) for name in ("createdAt", "updatedAt")]
    assert all(one.endswith("Z") and datetime.fromisoformat(one) for one in moments)
    assert made == {
        "id": version.pk,
        "projectId": "afn",
        "name": "業務/要約",
        "type": "text",
        "version": 1,
        "prompt": "Hello {{name}}",
        "config": {"n": 1},
        "labels": ["latest", "production"],
        "tags": ["a", "b"],
        "commitMessage": "First",
        "createdBy": "aoi",
        "isActive": True,
        "resolutionGraph": None,
    }
    assert get(langfuse, "業務/要約") == {**made, "createdAt": moments[0], "updatedAt": moments[1]}


def test_a_created_prompt_is_active_and_titled_by_its_name(langfuse: Langfuse, user: User) -> None:
    langfuse.create("a/b")
    prompt = Prompt.objects.get()
    assert (prompt.title, prompt.status, prompt.user) == ("a/b", "active", user)


def test_null_means_nothing_given(langfuse: Langfuse) -> None:
    nothing = {"config": None, "labels": None, "tags": None, "commitMessage": None}
    made = langfuse.create("a", **nothing)
    assert (made["config"], made["labels"], made["tags"], made["commitMessage"]) == ({}, ["latest"], [], None)
    assert not made["isActive"]


def test_unknown_members_are_ignored(langfuse: Langfuse) -> None:
    assert langfuse.create("a", isActive=True, somethingNew={"x": 1})["labels"] == ["latest"]


def test_a_chat_keeps_its_placeholders(langfuse: Langfuse) -> None:
    assert langfuse.create("chat", CHAT)["prompt"] == CHAT
    typed = [{"type": "chatmessage", "role": "user", "content": "x"}]
    assert langfuse.create("typed", typed)["prompt"] == [{"role": "user", "content": "x"}]


def test_another_content_is_another_version_and_takes_the_labels(langfuse: Langfuse) -> None:
    langfuse.create("a", "one", labels=["production", "staging"])
    made = langfuse.create("a", "two", labels=["staging", "latest"])
    assert (made["version"], made["labels"]) == (2, ["latest", "staging"])
    assert get(langfuse, "a", version=1)["labels"] == ["production"]
    assert get(langfuse, "a")["version"] == 1
    assert get(langfuse, "a", label="latest")["version"] == 2


def test_identical_content_is_reused_and_takes_the_labels(langfuse: Langfuse) -> None:
    langfuse.create("a", "one", labels=["x"])
    langfuse.create("a", "two")
    made = langfuse.create("a", "two", labels=["x"])
    assert (made["version"], made["labels"]) == (2, ["latest", "x"])
    assert PromptVersion.objects.count() == 2


def test_tags_belong_to_all_versions_and_stay_unless_given(langfuse: Langfuse) -> None:
    langfuse.create("a", "one", tags=["x"])
    assert langfuse.create("a", "two")["tags"] == ["x"]
    assert langfuse.create("a", "three", tags=["y"])["tags"] == ["y"]
    assert get(langfuse, "a", version=1)["tags"] == ["y"]
    assert langfuse.create("a", "three", tags=[])["tags"] == []


def test_the_author_is_that_of_the_version(langfuse: Langfuse) -> None:
    langfuse.create("a", "one")
    other = User.objects.create_superuser("ken", "ken@example.com", "x")
    assert client_of(other).create("a", "two")["createdBy"] == "ken"
    assert get(langfuse, "a", version=1)["createdBy"] == "aoi"


def test_declarations_of_variables_that_are_gone_go_too(langfuse: Langfuse, user: User) -> None:
    declared = {"tone": {"type": "enum", "values": ["kind"]}, "name": {"default": "you"}}
    Prompt(user=user, name="a", title="A", content="{{tone}} {{name}}", variables=declared).save()
    assert langfuse.create("a", "Only {{name}}")["version"] == 2
    assert Prompt.objects.get().variables == {"name": {"default": "you"}}


def test_the_type_stays(langfuse: Langfuse) -> None:
    langfuse.create("a")
    assert "text, as in all versions" in problem(
        langfuse.post("/v2/prompts", {"name": "a", "type": "chat", "prompt": CHAT}), 400
    )


@pytest.mark.parametrize(
    ("prompt", "kind"), [("text", "chat"), (CHAT, "text"), ("x", "other"), ([], "chat"), ("", "text")]
)
def test_a_prompt_that_does_not_fit_its_type_is_refused(langfuse: Langfuse, prompt: Any, kind: str) -> None:
    problem(langfuse.post("/v2/prompts", {"name": "a", "prompt": prompt, "type": kind}), 400)
    assert not Prompt.objects.exists()


def test_variables_and_placeholders_have_different_names(langfuse: Langfuse) -> None:
    chat = [{"type": "placeholder", "name": "x"}, {"role": "user", "content": "{{x}}"}]
    response = langfuse.post("/v2/prompts", {"name": "a", "type": "chat", "prompt": chat})
    assert "x as both" in problem(response, 400)


def test_labels_are_added_to_a_version_and_taken_from_others(langfuse: Langfuse, user: User) -> None:
    langfuse.create("a/b", "one", labels=["production", "x"])
    langfuse.create("a/b", "two", labels=["y"])
    response = langfuse.patch("/v2/prompts/a%2Fb/versions/2", {"newLabels": ["production", "production"]})
    assert response.status_code == 200
    assert response.json()["labels"] == ["latest", "production", "y"]
    assert get(langfuse, "a/b", version=1)["labels"] == ["x"]
    assert LabelMove.objects.first().actor == user
    assert langfuse.patch("/v2/prompts/a%2Fb/versions/2", {"newLabels": []}).json()["labels"] == [
        "latest",
        "production",
        "y",
    ]


@pytest.mark.parametrize(
    ("path", "labels", "status"),
    [
        ("a/versions/1", ["latest"], 400),
        ("a/versions/1", ["x", "Not one"], 400),
        ("a/versions/1", ["x" * 37], 400),
        ("a/versions/1", "x", 400),
        ("a/versions/1", None, 400),
        ("a/versions/1", ["x\0"], 400),
        ("a/versions/1", [str(at) for at in range(21)], 400),
        ("a/versions/0", ["x"], 400),
        ("a/versions/99999999999999999999", ["x"], 400),
        ("a/versions/2", ["x"], 404),
        ("b/versions/1", ["x"], 404),
        ("a/versions/x", ["x"], 405),
    ],
)
def test_wrong_labels_and_versions_move_nothing(
    langfuse: Langfuse, path: str, labels: Any, status: int
) -> None:
    langfuse.create("a")
    problem(langfuse.patch(f"/v2/prompts/{path}", {"newLabels": labels}), status)
    assert get(langfuse, "a", version=1)["labels"] == ["latest"]


def test_a_protected_label_is_refused_to_who_may_not_move_it(langfuse: Langfuse, user: User) -> None:
    LabelPolicy.objects.create(name="production", is_protected=True)
    user.user_permissions.remove(Permission.objects.get(codename="move_protected_label"))
    response = langfuse.post("/v2/prompts", {"name": "a", "prompt": "x", "labels": ["production"]})
    assert "move_protected_label" in problem(response, 403)
    assert not Prompt.objects.exists()


def test_a_gate_answers_with_its_figures(langfuse: Langfuse) -> None:
    LabelPolicy.objects.create(name="production", evidence="threshold", threshold=0.8, minimum_items=2)
    langfuse.create("a")
    version = PromptVersion.objects.get()
    patch = ("/v2/prompts/a/versions/1", {"newLabels": ["staging", "production"]})
    assert "at least 2 items evaluated, got 0" in problem(langfuse.patch(*patch), 409)
    for item in "xy":
        Evaluation.objects.create(prompt=version.prompt, version=version, item=item, score=0.7)
    assert "at least 0.8, got 0.7" in problem(langfuse.patch(*patch), 409)
    assert get(langfuse, "a", version=1)["labels"] == ["latest"]  # all or none
    Evaluation.objects.update(score=0.9)
    assert langfuse.patch(*patch).json()["labels"] == ["latest", "production", "staging"]


def test_composition_is_resolved_unless_asked_otherwise(langfuse: Langfuse) -> None:
    langfuse.create("part", "Be kind.", labels=["production"])
    text = "@@@langfusePrompt:name=part|label=production@@@ Answer."
    made = langfuse.create("whole", text, labels=["production"])
    assert made["prompt"] == text
    found = get(langfuse, "whole")
    assert found["prompt"] == "Be kind. Answer."
    assert found["resolutionGraph"]["root"] == {"name": "whole", "version": 1, "id": made["id"]}
    assert [one["name"] for one in found["resolutionGraph"]["dependencies"][made["id"]]] == ["part"]
    found = get(langfuse, "whole", resolve="false")
    assert (found["prompt"], found["resolutionGraph"]) == (text, None)


def test_a_dependency_that_is_missing_is_a_conflict(langfuse: Langfuse) -> None:
    text = "@@@langfusePrompt:name=part|version=1@@@"
    assert "does not" in problem(langfuse.post("/v2/prompts", {"name": "whole", "prompt": text}), 400)
    langfuse.create("part", "Be kind.")
    langfuse.create("whole", text, labels=["production"])
    Prompt.objects.filter(name="part").delete()
    assert "part" in problem(langfuse.get("/v2/prompts/whole"), 409)
    assert get(langfuse, "whole", resolve="false")["prompt"] == text


def test_what_others_include_is_not_deleted(langfuse: Langfuse) -> None:
    langfuse.create("part", "one", labels=["production"])
    langfuse.create("part", "two")
    langfuse.create("whole", "@@@langfusePrompt:name=part|label=production@@@")
    for query in ({}, {"version": 1}, {"label": "production"}):
        assert "whole" in problem(langfuse.delete("/v2/prompts/part", **query), 400)
    assert langfuse.delete("/v2/prompts/part", version=2).status_code == 204
    assert langfuse.delete("/v2/prompts/whole").status_code == 204
    assert langfuse.delete("/v2/prompts/part").status_code == 204


def test_latest_moves_to_the_highest_that_is_left(langfuse: Langfuse) -> None:
    for text in ("one", "two", "three"):
        langfuse.create("a", text, labels=[text])
    response = langfuse.delete("/v2/prompts/a", version=3)
    assert (response.status_code, response.content) == (204, b"")
    assert get(langfuse, "a", label="latest")["labels"] == ["latest", "two"]
    assert langfuse.delete("/v2/prompts/a", label="latest").status_code == 204
    assert get(langfuse, "a", label="latest")["version"] == 1
    problem(langfuse.get("/v2/prompts/a", version=3), 404)
    assert langfuse.create("a", "four")["version"] == 4
    assert langfuse.delete("/v2/prompts/a").status_code == 204
    problem(langfuse.delete("/v2/prompts/a"), 404)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"version": 1, "label": "latest"}, 400),
        ({"version": 0}, 400),
        ({"version": -1}, 400),
        ({"version": "x"}, 400),
        ({"version": 2**31}, 400),
        ({"label": "x\0"}, 400),
        ({"version": 2}, 404),
        ({"label": "nothing"}, 404),
        ({"label": "Not A Label'; --"}, 404),
    ],
)
def test_a_version_that_is_none_is_not_got_and_not_deleted(
    langfuse: Langfuse, query: dict[str, Any], status: int
) -> None:
    langfuse.create("a")
    problem(langfuse.get("/v2/prompts/a", **query), status)
    problem(langfuse.delete("/v2/prompts/a", **query), status)
    assert PromptVersion.objects.kept().count() == 1


def test_without_production_there_is_nothing_to_get(langfuse: Langfuse) -> None:
    langfuse.create("a")
    assert "production" in problem(langfuse.get("/v2/prompts/a"), 404)


def test_a_prompt_is_got_by_its_name_and_never_by_its_id(langfuse: Langfuse) -> None:
    langfuse.create("a", "mine", labels=["production"])
    key = Prompt.objects.get().pk
    problem(langfuse.get(f"/v2/prompts/{key}"), 404)
    problem(langfuse.delete(f"/v2/prompts/{key}"), 404)
    langfuse.create(key, "another", labels=["production"])
    assert get(langfuse, key)["prompt"] == "another"


@pytest.mark.parametrize("name", ["x/versions/7", "x/versions", "versions/1", "100%/50%25", "a b?c#d&e=+f"])
def test_every_name_that_may_be_given_can_be_asked_for(langfuse: Langfuse, name: str) -> None:
    path = f"/v2/prompts/{quote(name, safe='')}"
    langfuse.create(name, labels=["production"])
    assert get(langfuse, name)["name"] == name
    assert langfuse.patch(f"{path}/versions/1", {"newLabels": ["x"]}).json()["name"] == name
    assert langfuse.delete(path).status_code == 204


def test_slashes_need_not_be_encoded(langfuse: Langfuse) -> None:
    langfuse.create("a/b/c", labels=["production"])
    assert langfuse.get("/v2/prompts/a/b/c").json()["name"] == "a/b/c"


def test_reading_needs_the_scope_read_and_writing_more(user: User, settings: Settings) -> None:
    writer, reader = client_of(user, "write"), client_of(user, "read")
    writer.create("a", labels=["production"])
    assert reader.get("/v2/prompts/a").status_code == 200
    problem(writer.get("/v2/prompts/a"), 403)
    problem(reader.post("/v2/prompts", {"name": "b", "prompt": "x"}), 403)
    problem(reader.patch("/v2/prompts/a/versions/1", {"newLabels": ["x"]}), 403)
    problem(reader.delete("/v2/prompts/a"), 403)


@pytest.mark.parametrize(
    ("missing", "method", "path"),
    [
        ("add_prompt", "post", "/v2/prompts"),
        ("change_prompt", "post", "/v2/prompts"),
        ("change_promptlabel", "patch", "/v2/prompts/a/versions/1"),
        ("delete_prompt", "delete", "/v2/prompts/a"),
        ("delete_promptversion", "delete", "/v2/prompts/a"),
        ("add_tracescore", "post", "/scores"),
        ("add_tracescore", "post", "/ingestion"),
    ],
)
def test_each_change_needs_its_permission(
    langfuse: Langfuse, user: User, missing: str, method: str, path: str
) -> None:
    langfuse.create("a")
    user.user_permissions.remove(Permission.objects.get(codename=missing))
    bodies: dict[str, Any] = {
        "/v2/prompts": {"name": "a", "prompt": "y"},
        "/scores": [],
        "/ingestion": {"batch": []},
    }
    body = [bodies.get(path, {"newLabels": ["x"]})] if method != "delete" else []
    assert missing in problem(getattr(langfuse, method)(path, *body), 403)
