"""Who may open which page, and what every page has."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from prompts.models import ApiKey, Evaluation, Prompt, User
from vectors.models import Collection

from .conftest import PASSWORD, text_of

NAMES = [
    "auth_group",
    "prompts_apikey",
    "prompts_evaluation",
    "prompts_prompt",
    "prompts_promptversion",
    "prompts_user",
    "vectors_collection",
]
MADE_ELSEWHERE = {"prompts_promptversion", "vectors_collection"}


@pytest.fixture
def rows(aoi: User, make: Callable[..., Prompt]) -> dict[str, str]:
    """The id of a row of each kind."""
    prompt = make("writing/resume", tags=["career"], language="en", metadata={"owner": "HR"})
    prompt.content += " Keep the facts."
    prompt.save(author=aoi, message="Facts", index=False)
    version = prompt.versions.get(version=2)
    evaluation = Evaluation.objects.create(prompt=prompt, version=version, score=0.9, metrics={"facts": 1})
    found = [
        Group.objects.create(name="Writers"),
        ApiKey.issue(aoi, "shop", ["read"])[0],
        evaluation,
        prompt,
        version,
        aoi,
        Collection.objects.get(),
    ]
    return {name: row.pk for name, row in zip(NAMES, found, strict=True)}


def pages(rows: dict[str, str]) -> list[str]:
    found = [reverse("admin:index"), reverse("admin:search"), reverse("admin:search") + "?q=resume"]
    for name, pk in rows.items():
        found += [reverse(f"admin:{name}_changelist"), reverse(f"admin:{name}_change", args=[pk])]
        found += [reverse(f"admin:{name}_changelist") + "?q=a"]
        if name not in MADE_ELSEWHERE:
            found.append(reverse(f"admin:{name}_add"))
    return [*found, reverse("admin:prompts_prompt_compare", args=[rows["prompts_prompt"]])]


def test_a_superuser_opens_every_page(admin: Client, rows: dict[str, str]):
    for page in pages(rows):
        answer = admin.get(page)
        assert answer.status_code == 200, page
        assert "DatabaseDefault" not in text_of(answer), page


def test_strangers_are_sent_to_the_login(rows: dict[str, str]):
    for page in pages(rows):
        answer = Client().get(page)
        assert answer.status_code == 302, page
        assert answer["Location"].startswith("/admin/login/"), page


def test_staff_without_permissions_sees_the_dashboard_only(
    staff: Callable[..., Client], rows: dict[str, str]
):
    client = staff()

    answers = {page: client.get(page).status_code for page in pages(rows)}

    assert answers.pop("/admin/") == 200
    assert set(answers.values()) == {403}, answers
    assert "Latest versions" not in text_of(client.get("/admin/"))


def test_who_may_only_read_prompts_gets_no_form(staff: Callable[..., Client], rows: dict[str, str]):
    client = staff("view_prompt", "view_promptversion")
    page = reverse("admin:prompts_prompt_change", args=[rows["prompts_prompt"]])

    answer = client.get(page)

    assert answer.status_code == 200
    assert 'name="content"' not in text_of(answer)
    assert client.post(page, {"title": "Mine"}).status_code == 403


def test_the_menu_lists_what_one_may_see(staff: Callable[..., Client], admin: Client):
    def menu(client: Client) -> dict[str, list[str]]:
        groups = client.get("/admin/").context["sidebar_navigation"]
        return {str(one["title"] or ""): [str(item["title"]) for item in one["items"]] for one in groups}

    assert menu(staff("view_prompt", "view_environment")) == {
        "": ["Home", "Search", "Prompts", "Tour"],
        "Operations": ["Environments"],
    }
    assert menu(admin) == {
        "": ["Home", "Search", "Prompts", "Evaluations", "Tour"],
        "Labels": ["Label policies", "Label moves"],
        "Vectors": ["Collections", "Judgements", "Search quality"],
        "Operations": [
            "Health",
            "Redis",
            "Jobs",
            "Schedules",
            "Backups",
            "Environments",
            "Slow queries",
        ],
        "Alerts": ["Alerts", "Alert rules", "Alert channels", "Silences", "Webhooks"],
        "Access": ["API keys", "Users", "Groups", "Locked logins", "Audit log"],
    }


@pytest.mark.parametrize("login", ["aoi", "AOI@example.com"])
def test_one_logs_in_by_name_or_address(aoi: User, login: str):
    client = Client()

    assert "Username or e-mail" in text_of(client.get("/admin/login/"))
    for address in ("/admin/login/?next=/admin/", "/admin/login/"):
        answer = client.post(address, {"username": login, "password": PASSWORD})
        assert answer.status_code == 302
        assert answer["Location"] == "/admin/"
        client.logout()


def test_a_wrong_password_does_not_say_who_exists(aoi: User):
    answers = [
        Client().post("/admin/login/", {"username": name, "password": "wrong"}) for name in ("aoi", "nobody")
    ]
    known, unknown = (list(answer.context["form"].non_field_errors()) for answer in answers)

    assert known == unknown
    assert known


def test_the_address_alone_leads_to_the_console(client: Client):
    assert client.get("/")["Location"] == "/admin/"


def test_a_favicon_is_served_and_linked(client: Client):
    answer = client.get("/favicon.ico")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/x-icon"
    assert answer.content.startswith(b"\0\0\1\0")
    page = text_of(client.get("/admin/login/"))
    assert 'href="/favicon.ico"' in page
    assert "afn/afn.svg" in page


def test_unfolds_palette_still_answers(admin: Client):
    answer = admin.get("/admin/search/?s=prompt&extended=1")

    assert answer.status_code == 200
    assert 'role="search"' not in text_of(answer)


def test_more_text_than_sqlite_searches_for_is_a_bad_request(admin: Client, make: Callable[..., Prompt]):
    make("writing/resume")
    admin.raise_request_exception = False

    assert admin.get("/admin/prompts/prompt/", {"q": "x" * 60_000}).status_code == 400
