"""The trash in the console: how prompts get there, how it is found, and how they come back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ops.audit.models import AuditEntry
from prompts import trash
from prompts.labels import move_label
from prompts.models import Prompt, User

from .conftest import text_of

LIST = "/admin/prompts/prompt/"
TRASH = f"{LIST}?trash=yes"
Make = Callable[..., Prompt]


def of(prompt: Prompt, page: str) -> str:
    return reverse(f"admin:prompts_prompt_{page}", args=[prompt.pk])


def test_who_deletes_a_prompt_is_told_where_it_is(admin: Client, make: Make) -> None:
    prompt = make("writing/resume")
    answer = admin.post(of(prompt, "delete"), {"post": "yes", "typed_name": "writing/resume"}, follow=True)
    page = text_of(answer)
    assert "writing/resume is in the trash, with all its versions." in page
    assert f'href="{TRASH}"' in page
    assert "successfully" not in page


def test_the_list_leads_to_the_trash_which_says_what_it_is(admin: Client, make: Make) -> None:
    trash.delete_prompt(make("writing/<b>"), actor=None)
    assert f'href="{LIST}trash/"' in text_of(admin.get(LIST))
    assert admin.get(f"{LIST}trash/").url == TRASH
    page = text_of(admin.get(TRASH))
    assert '<span class="afn-crumb">Trash</span>' in page
    assert "<title> Trash | " in page
    assert "Prompts stay here" in page
    assert "<b></span>" not in page


def test_a_row_is_restored_by_its_button(admin: Client, make: Make) -> None:
    prompt = make("writing/resume")
    trash.delete_prompt(prompt, actor=None)
    assert f'formaction="{of(prompt, "restore")}"' in text_of(admin.get(TRASH))
    assert admin.get(of(prompt, "restore")).status_code == 405
    answer = admin.post(of(prompt, "restore"), follow=True)
    assert answer.redirect_chain == [(of(prompt, "change"), 302)]
    assert f'href="{of(prompt, "change")}">writing/resume</a> is back, with all its versions.' in text_of(
        answer
    )
    assert Prompt.objects.get() == prompt
    assert AuditEntry.objects.filter(action="prompt.restored", actor_name="aoi").count() == 1
    assert admin.post(of(prompt, "restore")).status_code == 404
    page = text_of(admin.get(TRASH))
    assert "The trash is empty" in page
    assert "Nothing matches" not in page


@pytest.mark.parametrize("narrowed", ["&status__exact=archived", "&q=nothing"])
def test_a_trash_is_not_called_empty_where_a_filter_hides_what_is_in_it(
    admin: Client, make: Make, narrowed: str
) -> None:
    trash.delete_prompt(make("a"), actor=None)
    page = text_of(admin.get(f"{TRASH}{narrowed}"))
    assert "The trash is empty" not in page
    assert "Nothing matches" in page


def test_a_name_that_is_taken_is_told_and_nothing_is_changed(admin: Client, make: Make) -> None:
    prompt = make("a")
    trash.delete_prompt(prompt, actor=None)
    make("a")
    answer = admin.post(of(prompt, "restore"), follow=True)
    assert "Restore it under another one" in text_of(answer)
    assert Prompt.objects.count() == 1


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        (("view_prompt",), 403),
        (("view_prompt", "delete_prompt"), 403),  # it is somebody else's
        (("view_prompt", "delete_prompt", "change_others_prompts"), 302),
    ],
)
def test_only_who_may_delete_a_prompt_restores_it(
    staff: Callable[..., Client], make: Make, permissions: tuple[str, ...], status: int
) -> None:
    prompt = make("a")
    trash.delete_prompt(prompt, actor=None)
    client = staff(*permissions)
    assert (of(prompt, "restore") in text_of(client.get(TRASH))) == (status == 302)
    assert client.post(of(prompt, "restore")).status_code == status
    assert Prompt.objects.exists() == (status == 302)


def test_it_takes_the_token_of_the_page(aoi: User, make: Make) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(aoi)
    prompt = make("a")
    trash.delete_prompt(prompt, actor=None)
    assert client.post(of(prompt, "restore")).status_code == 403
    client.get(TRASH)
    token = client.cookies["csrftoken"].value
    assert client.post(of(prompt, "restore"), {"csrfmiddlewaretoken": token}).status_code == 302


def test_several_are_deleted_with_the_same_promise(admin: Client, make: Make) -> None:
    first, second = make("a"), make("b")
    move_label(first, "production", 1, actor=None)
    data: dict[str, Any] = {"action": "delete_selected", "_selected_action": [first.pk, second.pk]}

    page = text_of(admin.post(LIST, data))
    assert "<title> Move to the trash" in page
    assert "2 prompts</b> go to the trash with all their versions" in page
    assert '<span class="afn-tag afn-label">production</span>' in page
    assert Prompt.objects.count() == 2

    page = text_of(admin.post(LIST, data | {"post": "yes"}, follow=True))
    assert "2 prompts are in the trash." in page
    assert f'href="{TRASH}"' in page
    assert not Prompt.objects.exists()
    assert Prompt.everything.count() == 2
