"""Who may what in the console and beside it: every address that is no operation of an API, by one table.

A page without a row in `tests.authorisation.console_table` fails here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker

from prompts import indexing
from tests.authorisation import world as worlds
from tests.authorisation.console_table import (
    DENIED,
    LOGIN,
    MODELS,
    NOTHING,
    PAGE,
    PAGES,
    PEOPLE,
    REDIRECT,
    expected,
)
from tests.authorisation.world import CSRF, OWNER, World
from vectors.admin.pages import PAGES as COLLECTION_PAGES

pytestmark = pytest.mark.django_db
ACTIONS = ("changelist", "add", "history", "delete", "change")
# Of a prompt, with the statuses of GET for everybody: those that name nothing to compare with find nothing.
PROMPT_PAGES = {
    "versions": PAGE,
    "blame": PAGE,
    "evaluations": PAGE,
    "comparison": NOTHING,
    "split": PAGE,
    "relations": PAGE,
    "texts": NOTHING,
}
# Open to all: the login itself, and what tells nothing of what is stored.
OPEN: dict[str, set[int]] = {
    "/": {302},
    "/favicon.ico": {200},
    "/api": {302},
    "/health/live": {200},
    "/health/ready": {200, 503},
    "/health/database": {200, 503},
    "/metrics": {404},
    "/ws": {426},
    "/events": {426},
    "/admin/login/": {200},
    "/api/v1/docs": {200},
    "/api/v1/openapi.json": {200},
    "/api/public/openapi.json": {200},
}
HEALTH = {"health/live", "health/ready", "health/database"}
STREAMS = {"ws", "events"}
# Tested for themselves below.
OTHERS = {
    "login",
    "autocomplete",
    "view_on_site",
    "app_list",
    "set_language",  # for everybody, logged in or not
    "prompts_prompt_compare",
    "prompts_prompt_restore",  # in test_trash_pages.py
    *(f"prompts_prompt_{name}" for name in PROMPT_PAGES),
    "prompts_evaluationrun_progress",
    "prompts_evaluationrun_cancel",
    "prompts_evaluationrun_outputs",
    "prompts_dataset_items",
    "prompts_prompt_labels",
    "prompts_prompt_use",
    "auth_user_password_change",
    "judge_result",
    "home_live",  # in test_home.py
    *(page.url_name for page in COLLECTION_PAGES),  # in test_vectors_pages.py
    # In test_jobs_pages.py, test_schedule_pages.py and test_backups_pages.py.
    "ops_job_start_kind",
    "ops_job_live_one",
    "ops_job_cancel",
    "ops_job_retry",
    "django_celery_beat_periodictask_turn",
    "django_celery_beat_periodictask_start",
    "ops_backupdrill_backup",
    "ops_backupdrill_download",
    "ops_backupdrill_restore",
    # In test_operators_pages.py.
    "ops_healthrecord_part",
    "ops_alert_acknowledge",
    "ops_alert_silence",
    "ops_slowquery_statement",
    "prompts_apikey_rotate",
    "prompts_apikey_revoke",
}


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once: each call is undone for itself."""
    with django_db_blocker.unblock(), worlds.visited(tmp_path_factory.mktemp("world")) as made:
        yield made


def names(found: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Address and name of whatever stands in the console."""
    for one in found:
        where = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns, where)
        else:
            yield where, one.name or ""


def person(world: World, who: str) -> Client:
    """Somebody with a session."""
    user = world.callers[f"{who.removesuffix(' on another' + chr(39) + 's')}'s session"].user
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    assert user is not None
    client.force_login(user)
    client.cookies["csrftoken"] = CSRF
    return client


def status(client: Client, method: str, path: str, **form: Any) -> int:
    """What comes of it; it is undone."""
    with transaction.atomic():
        if method == "POST":
            response = client.post(path, {"csrfmiddlewaretoken": CSRF, "post": "yes", **form})
        else:
            response = client.get(path)
        transaction.set_rollback(True)
    return response.status_code


def path_of(world: World, model: str, action: str, who: str) -> str:
    if action in ("changelist", "add"):
        return reverse(f"admin:{model}_{action}")
    values = world.others if who.endswith("another's") else world.own
    return reverse(f"admin:{model}_{action}", args=[values.get(MODELS[model].object, "999999999")])


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    found = dict(names(get_resolver().url_patterns))
    console = {name for where, name in found.items() if where.startswith("admin/") and name}
    of_models = {f"{model}_{action}" for model in MODELS for action in ACTIONS}
    assert console == of_models | set(PAGES) | OTHERS
    unnamed = {where for where, name in found.items() if where.startswith("admin/") and not name}
    # Django's old addresses of pages, which lead to the new ones, and the last of all, which finds nothing.
    known = {f"admin/{'/'.join(model.rsplit('_', 1))}/<path:object_id>/" for model in MODELS}
    assert unnamed <= known | {"admin/search/", "admin/(?P<url>.*)$"}
    elsewhere = {where for where in found if not where.startswith(("admin/", "api/"))}
    assert elsewhere == {"^api(/v1)?/?$", "", "favicon.ico", "metrics", *HEALTH, *STREAMS}


@pytest.mark.parametrize("model", sorted(MODELS))
def test_who_may_with_a_model(world: World, model: str) -> None:
    got, wanted = {}, {}
    for who in PEOPLE:
        client = person(world, who)
        for action in ACTIONS:
            for method in ("GET", "POST"):
                case = f"{method} {action}: {who}"
                wanted[case] = expected(model, action, method, who)
                got[case] = status(client, method, path_of(world, model, action, who))
    assert got == wanted


@pytest.mark.parametrize("page", sorted(PAGES))
def test_who_may_with_another_page(world: World, page: str) -> None:
    on_get, on_post, denied = PAGES[page]
    for who in PEOPLE:
        found = [status(person(world, who), method, reverse(f"admin:{page}")) for method in ("GET", "POST")]
        if page == "ops_environment_compare" and who == "superuser":
            on_post = PAGE  # nothing is chosen to be merged yet
        assert found == ([DENIED, DENIED] if who in denied else [on_get, on_post]), who


def everything(world: World) -> Iterator[str]:
    for model in MODELS:
        for action in ACTIONS:
            yield path_of(world, model, action, OWNER)
    yield from (reverse(f"admin:{page}") for page in PAGES if page != "logout")
    for page in ("compare", "labels", "use"):
        yield reverse(f"admin:prompts_prompt_{page}", args=[world.own["prompt"]])
    yield reverse("admin:auth_user_password_change", args=[world.own["user"]])
    yield reverse("judge_result")
    yield reverse("admin:autocomplete") + "?app_label=prompts&model_name=apikey&field_name=user"
    yield reverse("admin:app_list", args=["prompts"])
    yield reverse("admin:view_on_site", args=["1", "1"])


@pytest.mark.parametrize("who", ["anonymous", "superuser", "not of the staff"])
def test_a_key_opens_no_page_nor_does_an_account_that_is_not_of_the_staff(world: World, who: str) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["csrftoken"] = CSRF
    if who == "not of the staff":
        user = type(world.callers["reader's session"].user).objects.create_user("guest", "guest@example.com")
        client.force_login(user)
    elif who == "superuser":  # its key
        client.defaults["HTTP_AUTHORIZATION"] = world.callers["superuser"].bearer["Authorization"]
    for path in everything(world):
        for method in ("GET", "POST"):
            assert status(client, method, path) == LOGIN, (method, path)


@pytest.mark.parametrize("who", PEOPLE)
def test_pages_of_one_thing(world: World, who: str) -> None:
    client, values = person(world, who), world.others if who.endswith("another's") else world.own
    compare = reverse("admin:prompts_prompt_compare", args=[values["prompt"]])
    assert status(client, "GET", compare) == PAGE
    password = reverse("admin:auth_user_password_change", args=[values["user"]])
    assert status(client, "GET", password) == (PAGE if who == "superuser" else DENIED)
    assert status(client, "POST", password) == (PAGE if who == "superuser" else DENIED)
    autocomplete = reverse("admin:autocomplete") + "?app_label=prompts&model_name=apikey&field_name=user"
    assert status(client, "GET", autocomplete) == (PAGE if who in ("admin", "superuser") else DENIED)
    groups = reverse("admin:app_list", args=["auth"])
    assert status(client, "GET", groups) == (PAGE if who == "superuser" else NOTHING)
    assert status(client, "GET", "/admin/nowhere/") == NOTHING


@pytest.mark.parametrize("who", PEOPLE)
def test_labels_are_seen_by_all_and_moved_by_the_owner(world: World, who: str) -> None:
    """And by who may change the prompts of others, as in the API."""
    client, values = person(world, who), world.others if who.endswith("another's") else world.own
    labels, use = (
        reverse(f"admin:prompts_prompt_{page}", args=[values["prompt"]]) for page in ("labels", "use")
    )
    assert (status(client, "GET", labels), status(client, "GET", use)) == (PAGE, PAGE)
    may = who in ("editor", "admin", "superuser")
    for form in (
        {"action": "move", "label": "beta", "version": "1"},
        {"action": "undo", "label": "beta"},
        {},
    ):
        assert status(client, "POST", labels, **form) == (REDIRECT if may else DENIED)
    assert status(client, "POST", labels.replace(values["prompt"], "0" * 32), action="move") == NOTHING


@pytest.mark.parametrize("who", PEOPLE)
def test_judging_a_result_is_for_those_who_may_add_judgements(world: World, who: str) -> None:
    client, path, may = person(world, who), reverse("judge_result"), who != "reader"
    indexing.get_collection()
    form = {"address": "?q=resume", "key": world.others["prompt"], "grade": "good"}
    assert status(client, "GET", path) == (405 if may else DENIED)
    assert status(client, "POST", path, **form) == (302 if may else DENIED)
    assert status(client, "POST", path, **form | {"grade": "best"}) == (400 if may else DENIED)


@pytest.mark.parametrize("who", PEOPLE)
def test_pages_of_a_prompt_and_of_a_run(world: World, who: str) -> None:
    client, values = person(world, who), world.others if who.endswith("another's") else world.own
    may_change = who in ("editor", "admin", "superuser")
    indexing.get_collection()
    for name, wanted in PROMPT_PAGES.items():
        path = reverse(f"admin:prompts_prompt_{name}", args=[values["prompt"]])
        assert status(client, "GET", path) == wanted, name
    restore = reverse("admin:prompts_prompt_versions", args=[values["prompt"]])
    split = reverse("admin:prompts_prompt_split", args=[values["prompt"]])
    assert status(client, "POST", restore, version=1) == (REDIRECT if may_change else DENIED)
    assert status(client, "POST", split, act="end", label="split") == (REDIRECT if may_change else DENIED)
    progress = reverse("admin:prompts_evaluationrun_progress", args=[values["run"]])
    cancel = reverse("admin:prompts_evaluationrun_cancel", args=[values["run"]])
    assert status(client, "GET", progress) == PAGE
    assert status(client, "POST", cancel) == (DENIED if who == "reader" else REDIRECT)
    outputs = reverse("admin:prompts_evaluationrun_outputs", args=[values["run"]])
    items = reverse("admin:prompts_dataset_items", args=[values["dataset"]])
    for method, form in (("GET", {}), ("POST", {"items": "text\na"})):
        assert status(client, method, outputs) == (DENIED if who == "reader" else REDIRECT)
        assert status(client, method, items, **form) == (DENIED if who == "reader" else REDIRECT)
    assert status(client, "POST", items.replace(values["dataset"], "0" * 32)) in (DENIED, NOTHING)


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_open_is_open_to_all_and_takes_nothing(world: World, path: str) -> None:
    for client in (Client(raise_request_exception=False), person(world, "superuser")):
        is_in = "sessionid" in client.cookies
        wanted = {302} if path == "/admin/login/" and is_in else OPEN[path]
        assert status(client, "GET", path) in wanted
    if path.startswith("/health"):
        assert status(Client(), "POST", path) == 405


ACTIONS_ON_PROMPTS = ("activate", "archive", "reindex", "delete_selected")


@pytest.mark.parametrize("action", ACTIONS_ON_PROMPTS)
def test_an_action_on_prompts_of_others_does_nothing_at_all(world: World, action: str) -> None:
    """Not to the own ones that were chosen along with them either."""
    from prompts.models import Prompt, Status

    both = [world.own["prompt"], world.others["prompt"]]
    Prompt.objects.filter(pk__in=both).update(status=Status.DRAFT)
    client = person(world, "editor")
    answer = client.post(
        reverse("admin:prompts_prompt_changelist"),
        {"csrfmiddlewaretoken": CSRF, "action": action, "_selected_action": both, "post": "yes"},
    )
    assert answer.status_code == 302
    assert set(Prompt.objects.filter(pk__in=both).values_list("status", flat=True)) == {Status.DRAFT}
    if action != "reindex":  # which changes no prompt
        told = "".join(str(one) for one in client.get(answer.url).context["messages"])
        assert "a prompt of your own" in told


def test_a_prompt_in_the_trash_is_restored_by_its_owner_alone(world: World) -> None:
    from prompts.models import Prompt

    where = reverse("admin:prompts_prompt_changelist") + "?trash=yes"
    for who, key, restored in (
        ("editor", world.others["trashed"], False),
        ("editor", world.own["trashed"], True),
    ):
        client = person(world, who)
        form = {"csrfmiddlewaretoken": CSRF, "action": "restore", "_selected_action": [key]}
        assert client.post(where, form).status_code == 302
        assert Prompt.objects.filter(pk=key).exists() == restored


def test_an_editor_gives_no_prompt_away_and_makes_none_for_others(world: World) -> None:
    from prompts.models import Prompt
    from tests.admin.conftest import form_of

    client = person(world, "editor")
    form = form_of(user=world.others["user"], name="made-here") | {"csrfmiddlewaretoken": CSRF}
    answer = client.post(reverse("admin:prompts_prompt_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    assert Prompt.objects.get(name="made-here").user.username == OWNER
    prompt = Prompt.objects.get(pk=world.own["prompt"])
    form = form_of(prompt, user=world.others["user"], title="Another") | {"csrfmiddlewaretoken": CSRF}
    assert client.post(reverse("admin:prompts_prompt_change", args=[prompt.pk]), form).status_code == 302
    prompt.refresh_from_db()
    assert (prompt.title, prompt.user.username) == ("Another", OWNER)


def test_an_admin_hands_a_prompt_over(world: World) -> None:
    from prompts.models import Prompt
    from tests.admin.conftest import form_of

    prompt = Prompt.objects.get(pk=world.own["prompt"])
    form = form_of(prompt, user=world.others["user"]) | {"csrfmiddlewaretoken": CSRF}
    path = reverse("admin:prompts_prompt_change", args=[prompt.pk])
    assert person(world, "admin").post(path, form).status_code == 302
    prompt.refresh_from_db()
    assert prompt.user_id == world.others["user"]


def test_static_files_are_the_only_addresses_outside_the_map() -> None:
    assert project.STATIC_URL == "/static/"
