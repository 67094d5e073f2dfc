"""The console's page of environments: its forms, who sees them, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from ops.environments import current
from ops.environments.base import ProviderFailed
from ops.environments.local import Provider
from tests.ops.environments.conftest import local

from .conftest import text_of

__all__ = ["local"]
PAGE = "/admin/ops/environment/"


def act(client: Client, action: str, name: str, **fields: str) -> str:
    response = client.post(PAGE, {"action": action, "name": name, **fields}, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    return text_of(response)


def test_one_is_forked_frozen_and_deleted(admin: Client, local: Provider) -> None:
    page = act(admin, "fork", "feature-x", source="prod")
    assert "feature-x is a copy of prod" in page
    assert "copy of <b>prod</b>" in page
    page = act(admin, "freeze", "feature-x", reason="<b>確認中</b>")
    assert "Writes are blocked: &lt;b&gt;確認中&lt;/b&gt;" in page
    assert "feature-x can be written again." in act(admin, "unfreeze", "feature-x")
    assert "type feature-x into the field" in act(admin, "delete", "feature-x", confirmation="prod")
    assert "feature-x is deleted." in act(admin, "delete", "feature-x", confirmation="feature-x")
    assert [one.name for one in local.list()] == ["prod"]
    assert LogEntry.objects.filter(object_id="feature-x").count() == 4


def test_an_empty_one_is_made(admin: Client, local: Provider) -> None:
    assert "fresh is made" in act(admin, "create", "fresh")
    assert [one.name for one in local.list()] == ["fresh", "prod"]


@pytest.mark.parametrize(
    ("action", "name", "fields", "text"),
    [
        ("create", "..%2f", {}, "lower-case letters"),
        ("create", "prod", {}, "already"),
        ("fork", "x", {"source": "nowhere"}, "There is no environment"),
        ("delete", "prod", {"confirmation": "prod"}, "works on"),
        ("freeze", "prod", {"reason": ""}, "reason: expected"),
    ],
)
def test_what_cannot_be_is_told(
    admin: Client, local: Provider, action: str, name: str, fields: dict[str, str], text: str
) -> None:
    assert text in act(admin, action, name, **fields)
    assert [one.name for one in local.list()] == ["prod"]
    assert not LogEntry.objects.exists()


def test_each_action_needs_its_permission(staff: Callable[..., Client], local: Provider) -> None:
    client = staff("view_environment")
    page = text_of(client.get(PAGE))
    assert "prod" in page
    assert '<form method="post"' not in page.partition("afn-hits")[2]
    for action in ("create", "fork", "freeze", "unfreeze", "delete", "nonsense"):
        sent = {"action": action, "name": "x", "source": "prod", "reason": "x", "confirmation": "x"}
        assert client.post(PAGE, sent).status_code == 403
    assert [one.name for one in local.list()] == ["prod"]


def test_who_may_not_look_does_not_see_it(staff: Callable[..., Client], local: Provider) -> None:
    client = staff("view_prompt")
    assert client.get(PAGE).status_code == 403
    assert PAGE not in text_of(client.get("/admin/"))


def test_a_form_of_another_site_does_nothing(aoi: Any, local: Provider) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(aoi)
    assert client.post(PAGE, {"action": "create", "name": "x"}).status_code == 403
    assert [one.name for one in local.list()] == ["prod"]


def test_the_menu_leads_there(admin: Client, local: Provider) -> None:
    assert f'href="{PAGE}"' in text_of(admin.get("/admin/"))


def test_a_provider_out_of_reach_is_said_on_the_page(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ProviderFailed("The server <x> is out of reach.")

    monkeypatch.setattr(current, "get_provider", fail)
    page = admin.get(PAGE)
    assert page.status_code == 200
    assert "The server &lt;x&gt; is out of reach." in text_of(page)
