"""Prompts, their versions and their evaluations in the console."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from prompts import trash
from prompts.admin.forms import TagsField
from prompts.labels import move_label
from prompts.models import (
    Evaluation,
    LabelMove,
    LabelPolicy,
    Prompt,
    PromptEmbedding,
    PromptVersion,
    User,
)

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
    client = staff("view_prompt", "change_prompt", "change_others_prompts", "view_user")

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

    page = text_of(answer)
    assert "Expected version 1 to be the newest, got 2" in page
    assert "?from=1&amp;to=2" in page
    assert "Mine</textarea>" in page
    prompt.refresh_from_db()
    assert prompt.content == "Theirs"

    # Who has seen it may save on top of it, and of nothing newer.
    prompt.content = "Theirs again"
    prompt.save(index=False)
    for older in ("2", "0"):
        assert "got 3" in text_of(admin.post(change(prompt), data | {"_onto": older}))
    answer = admin.post(change(prompt), data | {"_onto": "3"})
    assert answer.status_code == 302, answer.context["errors"]
    prompt.refresh_from_db()
    assert (prompt.version, prompt.content) == (4, "Mine")


def test_who_has_saved_is_told_once_and_led_on(admin: Client, make: Callable[..., Prompt]):
    prompt = make("writing/resume", "One")
    page = text_of(admin.post(change(prompt), form_of(prompt, content="Two"), follow=True))
    assert "Version 2 was saved." in page
    assert "successfully" not in page
    base = f"/admin/prompts/prompt/{prompt.pk}"
    assert f'href="{base}/diff/?from=1&amp;to=2"' in page
    assert f'href="{base}/labels/?version=2#move"' in page
    prompt.refresh_from_db()
    page = text_of(admin.post(change(prompt), form_of(prompt, title="Other"), follow=True))
    assert "Saved. The content is unchanged, so there is no new version." in page

    assert admin.get(f"{base}/history/").url == f"{base}/versions/"
    page = text_of(admin.post(change(prompt), form_of(prompt, content="Dear {{a b}}"), follow=True))
    assert "{{a b}} is no variable: it is sent as it stands." in page


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"content": " \r\n "}, "Expected some text, got none."),
        ({"name": "a|b"}, "Expected a name without &#x27;|&#x27;"),
        ({"tags": "[1]"}, "Expected a list of texts"),
        ({"tags": '["a"'}, "Expected tags separated by commas"),
        ({"metadata": "[1]"}, "Expected a JSON object, got list"),
        ({"metadata": "{"}, "Expected JSON."),
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
    with django_assert_num_queries(8):
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
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries
):
    prompt = make("writing/resume")
    for number in range(15):
        prompt.content = f"Number {number}"
        prompt.save(index=False)
        Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), score=0.5)

    assert admin.get(change(prompt)).status_code == 200  # which content types there are is asked for once
    # Session, user, prompt, its owner for the head and for the form, labels, number of versions.
    with django_assert_num_queries(7):
        page = text_of(admin.get(change(prompt)))
    assert "16 versions" in page
    assert "Saving makes version 17." in page


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
    assert "2,997 unchanged lines" in page
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


def delete(prompt: Prompt) -> str:
    return reverse("admin:prompts_prompt_delete", args=[prompt.pk])


def test_a_deleted_prompt_is_in_the_trash_and_can_be_restored(admin: Client, make: Callable[..., Prompt]):
    prompt = make("writing/resume")
    move_label(prompt, "production", 1, actor=None)

    assert "Type the name, <b>writing/resume</b>" in text_of(admin.get(delete(prompt)))
    refused = admin.post(delete(prompt), {"post": "yes", "typed_name": "writing"}, follow=True)
    assert "Nothing was deleted" in text_of(refused)
    assert Prompt.objects.exists()
    admin.post(delete(prompt), {"post": "yes", "typed_name": prompt.name})

    assert not Prompt.objects.exists()
    assert Prompt.everything.get().versions.count() == 1
    assert LabelMove.objects.first().actor_name == "aoi"
    assert list(admin.get(LIST).context["cl"].result_list) == []
    trash = admin.get(f"{LIST}?trash=yes")
    assert [one.pk for one in trash.context["cl"].result_list] == [prompt.pk]
    assert change(prompt) not in text_of(trash)
    data = {"action": "restore", "_selected_action": [prompt.pk]}
    assert "is back, with all its versions" in text_of(admin.post(f"{LIST}?trash=yes", data, follow=True))
    assert Prompt.objects.get() == prompt


def test_several_go_to_the_trash_or_none(admin: Client, make: Callable[..., Prompt]):
    inner, other = make("inner"), make("other")
    make("root", "@@@prompt:name=inner|label=latest@@@")
    data = {"action": "delete_selected", "post": "yes", "_selected_action": [inner.pk, other.pk]}

    refused = text_of(admin.post(LIST, data, follow=True))

    assert "inner, which root v1 includes" in refused
    assert (Prompt.objects.count(), LogEntry.objects.count()) == (3, 0)
    assert "which root v1 includes" in text_of(
        admin.post(delete(inner), {"post": "yes", "typed_name": "inner"}, follow=True)
    )
    admin.post(LIST, data | {"_selected_action": [other.pk]})
    assert set(Prompt.objects.values_list("name", flat=True)) == {"inner", "root"}


def test_what_cannot_be_restored_is_told(admin: Client, make: Callable[..., Prompt]):
    prompt = make("a")
    admin.post(delete(prompt), {"post": "yes", "typed_name": "a"})
    make("a")
    data = {"action": "restore", "_selected_action": [prompt.pk]}

    answer = text_of(admin.post(f"{LIST}?trash=yes", data, follow=True))

    assert "Restore it under another one" in answer
    assert Prompt.objects.count() == 1


def test_the_list_of_the_trash_asks_the_same_for_any_number(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries
):
    for number in range(5):
        trash.delete_prompt(make(f"p{number}"), actor=None)
    with django_assert_num_queries(8):
        assert admin.get(f"{LIST}?trash=yes").status_code == 200


CHAT = '[{"role": "user", "content": "Dear {{name}}, <b>"}, {"type": "placeholder", "name": "history"}]'


def test_a_chat_is_made_changed_and_shown_as_a_transcript(admin: Client, aoi: User):
    variables = '{"name": {"type": "enum", "values": ["Aoi"]}}'
    more = {"type": "chat", "content": CHAT, "variables": variables, "config": '{"t": 1}'}
    answer = admin.post(ADD, form_of(user=aoi.pk, **more))
    assert answer.status_code == 302, answer.context["errors"]
    prompt = Prompt.objects.get()
    assert (prompt.type, prompt.config, list(prompt.variables)) == ("chat", {"t": 1}, ["name"])
    assert prompt.content.count("\n") == 3

    version = reverse("admin:prompts_promptversion_change", args=[prompt.versions.get().pk])
    shown = admin.get(version).content.decode()
    assert "[user]\nDear {{name}}, &lt;b&gt;\n[placeholder: history]" in shown

    # Written in another way it is the same; the type stays whatever is sent.
    admin.post(change(prompt), form_of(prompt, content=CHAT.replace('{"', '{ "'), type="text"))
    prompt.refresh_from_db()
    assert (prompt.type, prompt.version) == ("chat", 1)
    changed = CHAT.replace("Dear", "Hello")
    admin.post(change(prompt), form_of(prompt, content=changed, config='{"t": true}'))
    page = text_of(admin.get(diff(prompt, "?from=1&to=2")))
    assert "<del>Dear</del>" in page
    assert "[placeholder: history]" in page
    assert "<code>config.t</code></th><td><del>1</del></td><td><ins>true</ins>" in page


def test_a_difference_of_the_configuration_alone_is_shown(admin: Client, make: Callable[..., Prompt]):
    prompt = make("a")
    admin.post(change(prompt), form_of(prompt, config='{"model": "m"}'))

    page = text_of(admin.get(diff(prompt)))

    assert "<code>config.model</code>" in page
    assert "<ins>&quot;m&quot;</ins>" in page
    assert "No difference" not in page


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"content": "@@@prompt:name=none|label=latest@@@"}, "none (latest), which does not"),
        ({"content": "@@@prompt:none@@@"}, "@@@prompt:name=NAME|label=LABEL@@@"),
        ({"content": "{% if %}", "template_format": "jinja2"}, "a Jinja2 template"),
        ({"type": "chat"}, "a JSON list of messages"),
        ({"variables": '{"nobody": {"type": "number"}}'}, "a variable that the content uses"),
        ({"variables": "[1]"}, "an object of declarations"),
        ({"config": "[1]"}, "Expected a JSON object, got list"),
        ({"template_format": "x"}, "Select a valid choice"),
    ],
)
def test_what_could_not_be_served_is_refused_in_the_form(
    admin: Client, aoi: User, wrong: dict[str, str], message: str
):
    answer = admin.post(ADD, form_of(user=aoi.pk, **wrong))

    assert answer.status_code == 200
    assert message in text_of(answer)
    assert not Prompt.objects.exists()


def test_a_prompt_that_others_include_keeps_its_name_and_its_format(
    admin: Client, make: Callable[..., Prompt]
):
    inner = make("inner", "x")
    make("root", "@@@prompt:name=inner|label=latest@@@")

    renamed = admin.post(change(inner), form_of(inner, name="other"))
    assert "while root v1 includes inner" in text_of(renamed)
    other = admin.post(change(inner), form_of(inner, template_format="jinja2"), follow=True)
    assert "root v1 can still be composed" in text_of(other)

    inner.refresh_from_db()
    assert (inner.name, inner.version, inner.template_format) == ("inner", 1, "simple")


def test_what_is_in_the_trash_is_shown_nowhere_else(admin: Client, make: Callable[..., Prompt]):
    prompt = make("a", tags=["gone"])
    prompt.content = "two"
    prompt.save(index=False)
    trash.delete_version(prompt, 1, actor=None)
    assert "?from=1&amp;to=2" not in text_of(admin.get(f"/admin/prompts/promptversion/?q={prompt.name}"))
    assert admin.get(diff(prompt, "?from=1&to=2")).status_code == 404
    assert admin.get("/admin/prompts/promptversion/").context["cl"].result_count == 1
    trash.delete_prompt(prompt, actor=None)
    assert admin.get("/admin/prompts/promptversion/").context["cl"].result_count == 0
    assert "gone" not in text_of(admin.get(LIST))


def test_policies_are_edited_and_moves_are_read(admin: Client, make: Callable[..., Prompt]):
    policy = {
        "name": "production",
        "evidence": "threshold",
        "minimum_items": 5,
        "confidence": 0.9,
        "margin": 0,
    }
    refused = admin.post("/admin/prompts/labelpolicy/add/", policy)
    assert "Expected a threshold from 0 to 1" in text_of(refused)
    made = admin.post("/admin/prompts/labelpolicy/add/", policy | {"threshold": 0.5})
    assert (made.status_code, LabelPolicy.objects.get().threshold) == (302, 0.5)

    move = move_label(make("a"), "beta", 1, actor=None, reason=SCRIPT).move
    page = reverse("admin:prompts_labelmove_change", args=[move.pk])
    listed = text_of(admin.get("/admin/prompts/labelmove/"))
    assert f"/admin/prompts/prompt/{move.prompt_id}/labels/" in listed
    assert "nothing → v1" in listed
    assert "&lt;script&gt;" in text_of(admin.get(page))
    assert admin.post(page, {"label": "x"}).status_code == 403
    assert admin.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert "beta" in text_of(admin.get(change(Prompt.objects.get())))


def test_a_user_whose_prompts_have_labels_can_be_deleted(admin: Client, aoi: User):
    ben = User.objects.create_user("ben", "ben@example.com")
    prompt = Prompt.objects.create(user=ben, name="b", title="B", content="x")
    move_label(prompt, "production", 1, actor=aoi)

    data = {"post": "yes", "typed_name": "ben"}
    answer = admin.post(reverse("admin:prompts_user_delete", args=[ben.pk]), data)

    assert answer.status_code == 302
    assert not Prompt.everything.exists()


def test_the_list_of_moves_asks_the_same_for_any_number(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries
):
    for number in range(6):
        move_label(make(f"p{number}"), "production", 1, actor=None)
    with django_assert_num_queries(4):  # session, user, count, page
        assert admin.get("/admin/prompts/labelmove/").status_code == 200


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
    assert '<progress max="1" value="0.5" aria-hidden="true">' in page
    assert "facts 1" in page
    found = admin.get("/admin/prompts/evaluation/?score=0.8-1.1").context["cl"].result_list
    assert list(found) == []
