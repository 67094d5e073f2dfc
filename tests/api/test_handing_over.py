"""A prompt is handed over by its owner, or by who may change the prompts of others; to nobody unknown."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission

from ops.audit.models import AuditEntry
from prompts.models import ApiKey, Prompt, User
from prompts.ownership import CHANGE_OTHERS

from .conftest import Api, bearer, problems


@pytest.fixture
def chika(db: None) -> User:
    user = User.objects.create_user("chika", "chika@example.com", "correct horse")
    user.user_permissions.set(Permission.objects.filter(codename="change_prompt"))
    return user


@pytest.fixture
def of_chika(chika: User) -> Api:
    return Api(bearer(ApiKey.issue(chika, "tests", ["read", "write"])[1]))


@pytest.fixture
def owner_only(user: User, api: Api) -> Api:
    user.user_permissions.remove(Permission.objects.get(codename=CHANGE_OTHERS.partition(".")[2]))
    return api


def test_the_owner_hands_it_over_and_cannot_change_it_any_more(
    owner_only: Api, of_chika: Api, make: Callable[..., Prompt]
) -> None:
    prompt = make("a")
    assert problems(of_chika.patch("/prompts/a", {"owner": "chika"})).keys() == {"prompt"}
    response = owner_only.patch("/prompts/a", {"owner": "chika", "title": "Hers"})
    assert response.status_code == 200
    assert (response.json()["author"], response.json()["version"]) == ("chika", 1)
    assert owner_only.get("/prompts/a").json()["author"] == "chika"
    assert owner_only.patch("/prompts/a", {"title": "Mine"}).status_code == 403
    assert of_chika.patch("/prompts/a", {"title": "Hers"}).status_code == 200
    line = AuditEntry.objects.filter(object_id=prompt.pk, changes__has_key="user_id").get()
    assert (line.action, line.actor_name) == ("prompt.changed", "aoi")


def test_who_may_change_those_of_others_hands_them_over(
    api: Api, of_chika: Api, chika: User, make: Callable[..., Prompt]
) -> None:
    make("a")
    assert api.patch("/prompts/a", {"owner": "chika"}).status_code == 200
    assert api.patch("/prompts/a", {"owner": "aoi"}).json()["author"] == "aoi"
    lines = AuditEntry.objects.filter(action="prompt.changed").count()
    assert api.patch("/prompts/a", {"owner": "aoi"}).status_code == 200
    assert AuditEntry.objects.filter(action="prompt.changed").count() == lines


@pytest.mark.parametrize("name", ["nobody", "", "chika@example.com", "gone"])
def test_only_to_an_active_user_by_name(
    api: Api, chika: User, make: Callable[..., Prompt], name: str
) -> None:
    User.objects.create_user("gone", "gone@example.com", is_active=False)
    make("a")
    response = api.patch("/prompts/a", {"owner": name})
    assert response.status_code == 404
    assert problems(response) == {"owner": f"Expected the name of an active user, got {name!r}"}
    assert Prompt.objects.get().user.username == "aoi"
