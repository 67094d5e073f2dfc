"""Prompts, their versions and their evaluations in the console."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from prompts.admin.forms import TagsField
from prompts.models import Evaluation, Prompt, PromptEmbedding, PromptVersion, User

from .conftest import form_of, text_of

ADD = "/admin/prompts/prompt/add/"
LIST = "/admin/prompts/prompt/"
SCRIPT = "<script>alert(1)</script>"


def change(prompt: Prompt) -> str:
    return reverse("admin:prompts_prompt_change", args=[prompt.pk])


def diff(prompt: Prompt, query: str = "") -> str:
    return reverse("admin:prompts_prompt_compare", args=[prompt.pk]) + query


def test_adding_makes_the_first_version(admin: Client, aoi: User, django_capture_on_commit_callbacks):
    assert f'<option value="{aoi.pk}" selected' in text_of(admin.get(ADD))

    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.post(ADD, form_of(user=aoi.pk, message="First draft"))

    assert answer.status_code == 302, answer.context["errors"]
    prompt = Prompt.objects.get()
    assert (prompt.content, prompt.tags, prompt.user) == ("One\nTwo\n", ["career", "writing"], aoi)
    version = prompt.versions.get()
    assert (version.version, version.author, version.message) == (1, aoi, "First draft")
    assert PromptEmbedding.objects.filter(prompt=prompt, version=version).exists()


def test_new_content_makes_a_version_with_author_and_message(
    staff: Callable[..., Client], make: Callable[..., Prompt]
):
    prompt = make("writing/resume", "One\n")
    client = staff("view_prompt", "change_prompt", "view_user")

    answer = client.post(change(prompt), form_of(prompt, content="One\r\nTwo\r\n", message="Adds two"))

    assert answer.status_code == 302, answer.context["errors"]
    prompt.refresh_from_db()
    assert (prompt.version, prompt.content, prompt.user.username) == (2, "One\nTwo\n", "aoi")
    version = prompt.versions.get(version=2)
    assert (version.author.username, version.message) == ("ben", "Adds two")


@pytest.mark.parametrize("content", ["One\nTwo\n", "\n\n One \n\n", "One\r\nTwo\r\n", "\tOne"])
def test_saving_what_a_browser_sends_back_makes_no_version(
    admin: Client, make: Callable[..., Prompt], content: str
):
    prompt = make("writing/resume", content)
    sent = content.replace("\r\n", "\n").replace("\n", "\r\n")

    answer = admin.post(
        change(prompt), form_of(prompt, title="Other", content=sent, message="None"), follow=True
    )

    prompt.refresh_from_db()
    assert (prompt.title, prompt.version, prompt.content) == ("Other", 1, content)
    assert "no version for the message" in text_of(answer)
    assert "Content" not in LogEntry.objects.first().get_change_message()


def test_what_somebody_saved_meanwhile_is_not_overwritten(
    admin: Client, aoi: User, make: Callable[..., Prompt]
):
    prompt = make("writing/resume", "One")
    data = form_of(prompt, content="Mine")
    prompt.content = "Theirs"
    prompt.save(index=False)

    answer = admin.post(change(prompt), data)

    assert "expected version 1" in text_of(answer).lower()
    prompt.refresh_from_db()
    assert prompt.content == "Theirs"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"content": " \r\n "}, "Expected some text, got none."),
        ({"name": "a|b"}, "Expected a name without &#x27;|&#x27;"),
        ({"tags": "[1]"}, "Expected a list of texts"),
        ({"tags": '["a"'}, "Expected tags separated by commas"),
        ({"metadata": "[1]"}, "Expected a JSON object, got list"),
        ({"metadata": "{"}, "Enter a valid JSON."),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(
    admin: Client, aoi: User, wrong: dict[str, str], message: str
):
    answer = admin.post(ADD, form_of(user=aoi.pk, **wrong))

    assert answer.status_code == 200
    assert message in text_of(answer)
    assert not Prompt.objects.exists()


TAGS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=5)


@given(tags=TAGS | st.lists(st.sampled_from(["a", "a,b", " a", "[", "[x]", "要約", '"']), max_size=4))
def test_tags_survive_the_form(tags: list[str]):
    field = TagsField(required=False)

    assert field.to_python(field.prepare_value(tags)) == tags
    assert not field.has_changed(tags, field.prepare_value(tags))


def test_actions_change_the_status_and_are_logged(
    admin: Client, make: Callable[..., Prompt], django_capture_on_commit_callbacks
):
    first, second = make("a", status="draft"), make("b", status="archived")

    for action, status in (("activate", "active"), ("archive", "archived")):
        with django_capture_on_commit_callbacks(execute=True):
            data = {"action": action, "_selected_action": [first.pk, second.pk]}
            answer = admin.post(LIST, data, follow=True)
        assert f"2 prompts set to {status}." in text_of(answer)
        assert set(Prompt.objects.values_list("status", "version")) == {(status, 1)}
        page = text_of(admin.get("/admin/search/", {"q": "resume", "status": status}))
        assert "<b>2</b> results" in page

    assert LogEntry.objects.count() == 4


def test_reindexing_brings_the_index_up_to_date(admin: Client, aoi: User):
    prompt = Prompt(user=aoi, name="a", title="a", content="resume")
    prompt.save(index=False)

    answer = admin.post(LIST, {"action": "reindex", "_selected_action": [prompt.pk]}, follow=True)

    assert "1 prompt handed to the search index." in text_of(answer)
    assert PromptEmbedding.objects.filter(prompt=prompt).exists()


def test_who_may_only_read_gets_no_actions(staff: Callable[..., Client], make: Callable[..., Prompt]):
    prompt = make("a", status="draft")
    client = staff("view_prompt")

    client.post(LIST, {"action": "archive", "_selected_action": [prompt.pk]})

    prompt.refresh_from_db()
    assert prompt.status == "draft"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status__exact=active", {"writing/a"}),
        ("tag=career", {"writing/a"}),
        ("folder=writing", {"writing/a"}),
        ("language=ja", {"work/b"}),
        ("q=unusual", {"work/b"}),
    ],
)
def test_the_list_filters(admin: Client, make: Callable[..., Prompt], query: str, names: set[str]):
    make("writing/a", tags=["career"], status="active", language="en")
    make("work/b", "Something unusual", tags=["careers"], language="ja")

    found = admin.get(f"{LIST}?{query}").context["cl"].result_list

    assert {prompt.name for prompt in found} == names


def test_the_list_asks_the_same_number_of_queries_for_any_length(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries
):
    for number in range(12):
        make(f"writing/{number}", tags=["x"])

    # Session, user, count, page, and one for each of tags, languages and folders.
    with django_assert_num_queries(7):
        assert admin.get(LIST).status_code == 200


@pytest.mark.parametrize("name", ["promptversion", "evaluation"])
def test_the_lists_of_versions_and_evaluations_do_too(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries, name: str
):
    for number in range(8):
        prompt = make(f"writing/{number}")
        Evaluation.objects.create(prompt=prompt, version=prompt.versions.get(), score=0.5)

    with django_assert_num_queries(4):
        assert admin.get(f"/admin/prompts/{name}/").status_code == 200


def test_the_page_of_a_prompt_asks_the_same_for_many_versions(
    admin: Client, make: Callable[..., Prompt], django_assert_max_num_queries
):
    prompt = make("writing/resume")
    for number in range(15):
        prompt.content = f"Number {number}"
        prompt.save(index=False)
        Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), score=0.5)

    with django_assert_max_num_queries(14):
        page = text_of(admin.get(change(prompt)))
    assert "?from=15&amp;to=16" in page


def test_the_diff_shows_two_versions_with_words_marked(admin: Client, make: Callable[..., Prompt]):
    prompt = make("writing/resume", "At most five bullets.\n")
    prompt.content = f"At most four bullets.\n{SCRIPT}\n要約して。\n"
    prompt.save(message=f"Four {SCRIPT}", index=False)

    for query in ("?from=1&to=2", ""):
        page = text_of(admin.get(diff(prompt, query)))
        assert "At most <del>five</del> bullets." in page
        assert "At most <ins>four</ins> bullets." in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert '<option value="1" selected>' in page
        assert '<option value="2" selected>' in page

    assert "No difference" in text_of(admin.get(diff(prompt, "?from=2&to=2")))
    swapped = text_of(admin.get(diff(prompt, "?from=2&to=1")))
    assert "At most <ins>five</ins> bullets." in swapped


def test_the_diff_says_where_it_is_coarse(admin: Client, make: Callable[..., Prompt]):
    line = "A line that is long enough to be counted.\n"
    prompt = make("writing/long", line * 3_000)
    prompt.content = line * 3_000 + "More\n"
    prompt.save(index=False)

    page = text_of(admin.get(diff(prompt)))

    assert "line by line, not word by word" in page
    assert "2997 unchanged lines" in page
    assert len(page) < 60_000


@pytest.mark.parametrize("query", ["?from=1&to=9", "?from=9&to=1"])
def test_the_diff_names_a_version_that_is_not_there(admin: Client, make: Callable[..., Prompt], query: str):
    answer = admin.get(diff(make("writing/resume"), query))

    assert answer.status_code == 404
    assert "got 9, which does not exist" in text_of(answer)


def test_the_diff_of_no_prompt_is_not_found(admin: Client):
    assert admin.get("/admin/prompts/prompt/none/diff/").status_code == 404


@pytest.mark.parametrize("query", ["?from=-1&to=x", "?from=٣&to=", "?from=1e9&to=99999999999999999999"])
def test_numbers_that_are_none_fall_back(admin: Client, make: Callable[..., Prompt], query: str):
    assert admin.get(diff(make("writing/resume"), query)).status_code == 200


def test_versions_can_only_be_read(admin: Client, make: Callable[..., Prompt]):
    version = make("writing/resume", f"One {SCRIPT}").versions.get()
    page = reverse("admin:prompts_promptversion_change", args=[version.pk])

    shown = text_of(admin.get(page))

    assert "One &lt;script&gt;" in shown
    assert "<script>alert" not in shown
    assert admin.post(page, {"content": "Other"}).status_code == 403
    assert admin.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert admin.get("/admin/prompts/promptversion/add/").status_code == 403
    assert PromptVersion.objects.get() == version


def test_deleting_a_prompt_takes_its_versions_along(admin: Client, make: Callable[..., Prompt]):
    prompt = make("writing/resume")

    admin.post(change(prompt).replace("change", "delete"), {"post": "yes"})

    assert not Prompt.objects.exists()
    assert not PromptVersion.objects.exists()


def test_an_evaluation_belongs_to_the_current_version_unless_told(admin: Client, make: Callable[..., Prompt]):
    prompt = make("writing/resume", "One")
    other = make("writing/other", "Two").versions.get()
    prompt.content = "Three"
    prompt.save(index=False)
    add = "/admin/prompts/evaluation/add/"

    refused = admin.post(add, {"prompt": prompt.pk, "version": other.pk, "score": "0.5", "metrics": "{}"})
    assert "Expected a version of writing/resume" in text_of(refused)
    refused = admin.post(add, {"prompt": prompt.pk, "score": "1.5", "metrics": "{}"})
    assert "less than or equal to 1" in text_of(refused)
    made = admin.post(add, {"prompt": prompt.pk, "score": "0.5", "metrics": '{"facts": 1}'})

    assert made.status_code == 302
    evaluation = Evaluation.objects.get()
    assert (evaluation.version.version, evaluation.score) == (2, 0.5)
    page = text_of(admin.get("/admin/prompts/evaluation/?score=0.5-0.8"))
    assert '<progress max="1" value="0.5">' in page
    assert "facts 1" in page
    found = admin.get("/admin/prompts/evaluation/?score=0.8-1.1").context["cl"].result_list
    assert list(found) == []
