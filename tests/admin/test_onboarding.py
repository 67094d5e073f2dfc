"""First steps, the tour, import and export in the console, and what empty lists say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ops.backups.models import BackupDrill
from ops.home.first_steps import COOKIE, STEPS
from prompts import labels
from prompts.admin import exchange
from prompts.exchange import uploads
from prompts.exchange.rights import IMPORTING
from prompts.models import ApiKey, Evaluation, Prompt, User
from vectors.models import Collection
from vectors.relevance.models import Judgement

from .conftest import text_of

IMPORT = "/admin/prompts/prompt/import/"
EXPORT = "/admin/prompts/prompt/export/"
TABLE = "title,content,folder,tags\nGreeting,Say hello to {{name}}.,mail,short\nNothing,,mail,\n"


def send(client: Client, text: str = TABLE, act: str = "import", name: str = "mine.csv", **form: Any) -> Any:
    upload = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return client.post(IMPORT, {"act": act, "file": upload, **form})


def steps_of(client: Client) -> dict[str, bool]:
    return {one.step.name: one.is_done for one in client.get("/admin/").context.get("first_steps", ())}


def test_an_empty_site_says_how_to_begin(admin: Client) -> None:
    page = text_of(admin.get("/admin/"))

    assert "There are no prompts yet" in page
    assert f'href="{IMPORT}"' in page
    assert reverse("admin:prompts_prompt_add") in page
    assert "0 of 6 done" in page


def test_each_step_is_ticked_when_it_is_done(admin: Client, aoi: User, make: Callable[..., Prompt]) -> None:
    sample = make("samples/one", source="samples")
    assert steps_of(admin) == {step.name: False for step in STEPS}

    prompt = make("writing/resume")
    assert steps_of(admin)["prompt"]
    collection = Collection.objects.get()
    judged = {"query": "cv", "query_hash": "0", "key": prompt.pk, "grade": 2, "source": "click"}
    Judgement.objects.create(collection=collection, **judged)
    labels.move_label(sample, "production", 1, actor=aoi)
    ApiKey.issue(aoi, "shop", ["read"])
    Evaluation.objects.create(prompt=prompt, score=0.5)
    assert [name for name, done in steps_of(admin).items() if not done] == ["backup"]
    assert "5 of 6 done" in text_of(admin.get("/admin/home/"))

    BackupDrill.objects.create(backup="b", sha256="0", ok=True, backup_created_at=timezone.now())
    assert steps_of(admin) == {}


def test_steps_are_for_who_may_take_them(staff: Callable[..., Client], make: Callable[..., Prompt]) -> None:
    make("writing/resume")
    client = staff("view_prompt", "add_apikey")

    assert list(steps_of(client)) == ["key"]
    assert IMPORT not in text_of(client.get("/admin/"))


def test_who_may_nothing_gets_no_steps(staff: Callable[..., Client]) -> None:
    assert steps_of(staff()) == {}


def test_steps_are_put_away_and_brought_back(admin: Client, aoi: User, make: Callable[..., Prompt]) -> None:
    make("writing/resume")
    answer = admin.post(reverse("admin:first_steps"))

    cookie = answer.cookies[COOKIE]
    assert (answer.status_code, answer["Location"], cookie.value) == (302, "/admin/", aoi.pk)
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/admin/", "Lax", True)
    assert steps_of(admin) == {}
    assert "first page again" in text_of(admin.get(reverse("admin:tour")))

    admin.post(reverse("admin:first_steps"), {"show": "yes"})
    assert len(steps_of(admin)) == len(STEPS)


def test_another_person_in_the_same_browser_has_them_still(
    admin: Client, staff: Callable[..., Client], make: Callable[..., Prompt]
) -> None:
    make("writing/resume")
    other = staff("view_prompt", "add_apikey")
    other.cookies[COOKIE] = admin.post(reverse("admin:first_steps")).cookies[COOKIE].value

    assert list(steps_of(other)) == ["key"]


def test_all_steps_are_looked_up_in_one_query(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries: Any, rf: Any, aoi: User
) -> None:
    from ops.home.first_steps import first_steps

    make("writing/resume")
    request = rf.get("/admin/")
    request.user = aoi
    with django_assert_num_queries(1):
        assert len(first_steps(request)["first_steps"]) == len(STEPS)


def test_the_tour_has_a_stop_for_each_page_that_one_may_open(
    admin: Client, staff: Callable[..., Client]
) -> None:
    def stops(client: Client) -> list[str]:
        parts = client.get(reverse("admin:tour")).context["parts"]
        return [one["stop"].picture for _name, _title, found in parts for one in found]

    whole = ["find", "change", "compare", "evaluate", "promote", "undo", "health", "backups", "environments"]
    assert stops(admin) == whole
    for _name, _title, found in admin.get(reverse("admin:tour")).context["parts"]:
        assert {admin.get(one["url"]).status_code for one in found} == {200}
    assert stops(staff("view_prompt", "view_backupdrill")) == ["find", "change", "backups"]


def test_the_tour_of_who_may_open_nothing_says_whom_to_ask(staff: Callable[..., Client]) -> None:
    assert "Ask who administers AFN" in text_of(staff().get(reverse("admin:tour")))


def test_a_file_is_checked_before_it_is_imported(admin: Client, aoi: User) -> None:
    page = text_of(send(admin, act="check"))

    assert "Nothing is written yet" in page
    assert "<td>3</td><td>content</td><td>some text</td><td>none</td>" in page
    assert not Prompt.objects.exists()

    answer = send(admin)

    assert (answer.status_code, answer.context["found"].created) == (200, 1)
    prompt = Prompt.objects.get()
    assert (prompt.name, prompt.source, prompt.user, prompt.tags) == (
        "mail/Greeting",
        "mine.csv",
        aoi,
        ["short"],
    )
    assert send(admin).context["found"].unchanged == 1


def test_all_or_nothing(admin: Client) -> None:
    page = text_of(send(admin, strict="on"))

    assert "Nothing was imported: a row was refused" in page
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.txt", TABLE, "expected a file ending in .csv"),
        ("../../etc/passwd.csv", "a,b\n1,2\n", "expected CSV with a column title or act"),
        ("mine.jsonl", "no json\n", "expected one JSON object a line"),
        ("mine.json", "{", "expected JSON"),
        ("mine.csv", "", "empty"),
    ],
)
def test_a_file_that_is_none_is_refused(admin: Client, name: str, text: str, said: str) -> None:
    answer = send(admin, text, name=name)

    assert answer.status_code == 400
    assert said in text_of(answer)


def test_a_file_that_is_too_large_is_for_the_command(admin: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 10)
    answer = send(admin)

    assert answer.status_code == 400
    assert "at most 10 bytes" in text_of(answer)
    assert not Prompt.objects.exists()


def test_what_a_file_says_is_shown_as_text(admin: Client) -> None:
    page = send(
        admin, "title,content,status\n<script>x</script>,c,<b>odd</b>\n", act="check"
    ).content.decode()

    assert "<b>odd</b>" not in page
    assert "&lt;b&gt;odd" in page


@pytest.mark.parametrize("missing", IMPORTING)
def test_an_import_takes_all_rights_that_it_uses(staff: Callable[..., Client], missing: str) -> None:
    names = {one.partition(".")[2] for one in IMPORTING if one != missing}
    client = staff("view_prompt", *names)

    assert (client.get(IMPORT).status_code, send(client).status_code) == (403, 403)
    assert f'href="{IMPORT}"' not in text_of(client.get("/admin/prompts/prompt/"))
    user = User.objects.get(username="ben")
    user.user_permissions.add(Permission.objects.get(codename=missing.partition(".")[2]))
    assert client.get(IMPORT).status_code == 200


def test_the_samples_are_offered_in_development_alone(admin: Client, settings: Any, monkeypatch: Any) -> None:
    path = exchange.SAMPLES
    short = path.parent / "none.jsonl"
    assert not short.exists()
    settings.ENVIRONMENT = "production"
    assert "Import the samples" not in text_of(admin.get(IMPORT))
    assert admin.post(IMPORT, {"act": "samples"}).status_code == 400

    settings.ENVIRONMENT = "development"
    assert "Import the samples" in text_of(admin.get(IMPORT))
    assert admin.post(IMPORT, {"act": "samples"}).context["found"].created > 10
    assert not Prompt.objects.exclude(source="samples").exists()


def test_prompts_are_exported(admin: Client, make: Callable[..., Prompt]) -> None:
    make("mail/greeting", "Say hello.", tags=["short"])
    make("writing/resume")

    def exported(**asked: str) -> str:
        answer = admin.get(EXPORT, asked)
        assert answer["Content-Disposition"].startswith('attachment; filename="prompts.')
        return answer.getvalue().decode()

    assert [json.loads(line)["name"] for line in exported(format="jsonl").splitlines()] == [
        "mail/greeting",
        "writing/resume",
    ]
    assert "writing/resume" not in exported(format="csv", folder="mail")
    assert [one["name"] for one in json.loads(exported(format="json", tag="short"))] == ["mail/greeting"]
    assert [one["version"] for one in json.loads(exported(format="langfuse"))] == [1, 1]
    assert json.loads(exported(format="json", label="production")) == []


def test_who_may_not_view_users_is_given_no_addresses(
    staff: Callable[..., Client], make: Callable[..., Prompt]
) -> None:
    make("mail/greeting")
    client = staff("view_prompt")

    exported = [client.get(EXPORT, {"format": name}).getvalue().decode() for name in exchange.FORMATS]

    assert all("mail/greeting" in one and "aoi@example.com" not in one for one in exported)


def test_a_format_that_there_is_none_of_is_refused(admin: Client) -> None:
    answer = admin.get(EXPORT, {"format": "exe"})

    assert answer.status_code == 400
    assert "Format" in text_of(answer)


def test_every_empty_list_says_what_would_be_there(admin: Client) -> None:
    known = {"prompts.User", "auth.Group"}  # never empty
    silent, there = [], 0
    for model, model_admin in django_admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        answer = admin.get(reverse(name))
        assert answer.status_code == 200, name
        page = text_of(answer)
        assert "No results found" not in page, name
        change_list = (answer.context or {}).get("cl")
        if change_list is None or change_list.result_count:
            continue
        there += 1
        if model._meta.label not in known and not getattr(model_admin, "empty_help", ""):
            silent.append(name)

    assert (silent, there > 8) == ([], True)


def test_a_filter_that_nothing_passes_is_no_empty_list(admin: Client, make: Callable[..., Prompt]) -> None:
    make("mail/greeting")
    page = text_of(admin.get("/admin/prompts/prompt/", {"q": "zebra"}))

    assert "Nothing matches" in page
    assert 'href="?"' in page
