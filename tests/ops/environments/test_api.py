"""Environments over REST: who may, what they get, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from ops.environments import current
from ops.environments.base import NotConfigured, ProviderFailed
from ops.environments.local import Provider
from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer

pytestmark = pytest.mark.django_db


def names(api: Api) -> list[str]:
    return [one["name"] for one in api.get("/environments").json()["items"]]


def test_one_is_forked_frozen_and_deleted(api: Api, local: Provider) -> None:
    made = api.post("/environments", {"name": "feature-x", "source": "prod"})
    assert made.status_code == 201
    assert made.json()["parent"] == "prod"
    assert names(api) == ["feature-x", "prod"]
    frozen = api.post("/environments/feature-x/freeze", {"reason": "確認中"})
    assert (frozen.status_code, frozen.json()["frozen"]) == (200, "確認中")
    assert api.post("/environments/feature-x/unfreeze").json()["frozen"] == ""
    assert api.get("/environments/prod").json()["is_current"] is True
    assert api.delete("/environments/feature-x").status_code == 204
    assert names(api) == ["prod"]


def test_a_new_one_has_the_tables(api: Api, local: Provider) -> None:
    assert api.post("/environments", {"name": "fresh"}).status_code == 201
    with local._opened(local._existing("fresh")) as connection:
        assert "prompts" in connection.introspection.table_names()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("post", "", {"name": "..%2f"}, 422, "lower-case letters"),
        ("post", "", {"name": "prod"}, 409, "already"),
        ("post", "", {"name": "x", "source": "nowhere"}, 404, "There are: prod"),
        ("get", "/nowhere", None, 404, "There are: prod"),
        ("get", "/..%252f", None, 422, "lower-case letters"),
        ("delete", "/prod", None, 409, "works on"),
        ("post", "/prod/freeze", {"reason": " "}, 422, "reason: expected"),
        ("post", "/nowhere/freeze", {"reason": "x"}, 404, "nowhere"),
    ],
)
def test_what_cannot_be_is_refused(
    api: Api, local: Provider, method: str, path: str, body: Any, status: int, text: str
) -> None:
    arguments = [f"/environments{path}"] + ([body] if method == "post" else [])
    answer = getattr(api, method)(*arguments)
    assert (answer.status_code, text in str(answer.json()["detail"])) == (status, True), answer.json()
    assert names(api) == ["prod"]
    assert local.get("prod").frozen == ""


@pytest.mark.parametrize("problem", [ProviderFailed("out of reach"), NotConfigured("AFN_X is not set")])
def test_a_provider_that_cannot_be_used_is_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fail() -> None:
        raise problem

    monkeypatch.setattr(current, "get_provider", fail)
    answer = api.get("/environments")
    assert (answer.status_code, answer.json()) == (503, {"detail": str(problem)})


def test_only_those_may_who_are_permitted(user: User, local: Provider, settings: Any) -> None:
    settings.AFN_PUBLIC_READ = True
    assert Api().get("/environments").status_code == 401
    reading = Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))
    assert reading.get("/environments").status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_environment"))
    assert reading.get("/environments").status_code == 200
    assert reading.post("/environments", {"name": "x"}).status_code == 403
    assert reading.delete("/environments/prod").status_code == 403
    assert reading.post("/environments/prod/freeze", {"reason": "x"}).status_code == 403
    assert [one.name for one in local.list()] == ["prod"]


def test_no_token_is_made_here(api: Api, local: Provider) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if "environments" in path and "token" in path]
