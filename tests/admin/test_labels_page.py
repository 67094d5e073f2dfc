"""The labels of a prompt in the console, how it is used, and what stands beside its editor."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from prompts.labels import MOVE_PROTECTED, labels_of, move_label, remove_label
from prompts.models import Evaluation, LabelMove, LabelPolicy, Prompt

from .conftest import text_of

SCRIPT = "<script>alert(1)</script>"
MOVING = ("view_prompt", "change_promptlabel", "change_others_prompts")


def page(prompt: Prompt, name: str = "labels") -> str:
    return reverse(f"admin:prompts_prompt_{name}", args=[prompt.pk])


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    """Of two versions, the first of which is in production."""
    made = make("writing/resume", "One {{name}}")
    made.content = "Two {{name}}"
    made.save(message=f"Shorter {SCRIPT}", index=False)
    move_label(made, "production", 1, actor=made.user, reason=f"First {SCRIPT}")
    return made


def judge(prompt: Prompt, version: int, score: float, items: int) -> None:
    of = prompt.versions.get(version=version)
    for item in range(items):
        Evaluation.objects.create(prompt=prompt, version=of, item=str(item), score=score)


def test_it_shows_who_put_which_label_where(admin: Client, prompt: Prompt):
    shown = text_of(admin.get(page(prompt)))

    assert "by <b>aoi</b>" in shown
    assert "nothing → v1" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>alert" not in shown


def test_a_label_moves_and_the_last_move_is_taken_back_once(admin: Client, prompt: Prompt):
    move = {"action": "move", "label": "production", "version": "2", "reason": "Better"}
    assert "production serves version 2 now." in text_of(admin.post(page(prompt), move, follow=True))
    assert "serves version 2 already" in text_of(admin.post(page(prompt), move, follow=True))

    last = LabelMove.objects.first()
    undo = {"action": "undo", "label": "production", "move": last.pk}
    assert "Taken back" in text_of(admin.post(page(prompt), undo, follow=True))
    # A second click takes back no other move.
    assert "Somebody moved it meanwhile" in text_of(admin.post(page(prompt), undo, follow=True))
    assert labels_of(prompt)["production"] == 1
    assert LabelMove.objects.count() == 3
    shown = text_of(admin.get(page(prompt)))
    assert ("undone" in shown, "an undo" in shown) == (True, True)


def test_missing_evidence_is_told_with_its_figures_before_and_after(admin: Client, prompt: Prompt):
    LabelPolicy.objects.create(name="production", evidence="better", minimum_items=6)
    judge(prompt, 1, 0.2, 6)
    judge(prompt, 2, 0.9, 2)
    ask = {"label": "production", "version": "2"}

    verdict = text_of(admin.get(page(prompt), ask, headers={"HX-Request": "true"}))
    assert "The evidence for version 2 is not enough." in verdict
    assert "at least 6 items" in verdict
    assert "<html" not in verdict
    refused = text_of(admin.post(page(prompt), ask | {"action": "move", "reason": "Mine"}))
    assert "was not moved to version 2" in refused
    assert 'value="Mine"' in refused
    assert labels_of(prompt)["production"] == 1

    Evaluation.objects.all().delete()
    judge(prompt, 1, 0.2, 6)
    judge(prompt, 2, 0.9, 6)
    assert "production may move to version 2." in text_of(admin.get(page(prompt), ask))
    admin.post(page(prompt), ask | {"action": "move"})
    assert labels_of(prompt)["production"] == 2
    assert "0.700" in text_of(admin.get(page(prompt)))


def test_a_protected_label_needs_the_permission(staff: Callable[..., Client], prompt: Prompt):
    LabelPolicy.objects.create(name="production", is_protected=True)
    client = staff(*MOVING)
    move = {"action": "move", "label": "production", "version": "2"}

    shown = text_of(client.get(page(prompt), move))
    assert "production is protected" in shown
    assert "Ask an admin" in shown
    assert MOVE_PROTECTED in text_of(client.post(page(prompt), move, follow=True))
    assert labels_of(prompt)["production"] == 1


def test_a_dear_label_is_taken_off_by_its_name_and_comes_back(admin: Client, prompt: Prompt):
    move_label(prompt, "beta", 2, actor=None)
    remove = {"action": "remove", "label": "production"}
    assert "Expected the label&#x27;s name, production" in text_of(
        admin.post(page(prompt), remove, follow=True)
    )
    admin.post(page(prompt), remove | {"name": "production"})
    admin.post(page(prompt), remove | {"label": "beta"})
    assert labels_of(prompt) == {"latest": 2}

    shown = text_of(admin.get(page(prompt)))
    assert "taken off" in shown
    last = LabelMove.objects.filter(label="production").first()
    admin.post(page(prompt), {"action": "undo", "label": "production", "move": last.pk})
    assert labels_of(prompt)["production"] == 1


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"action": "move", "label": "latest", "version": "1"}, "which moves by itself"),
        ({"action": "move", "label": "Prod!", "version": "1"}, "lower-case letters"),
        ({"action": "move", "label": "beta", "version": "9"}, "a version of writing/resume"),
        ({"action": "move", "label": "beta", "version": "²"}, "a version of writing/resume"),
        ({"action": "remove", "label": "none"}, "a label of writing/resume"),
        ({"action": "burn", "label": "beta"}, "move, remove or undo"),
    ],
)
def test_what_cannot_be_is_told(admin: Client, prompt: Prompt, form: dict[str, str], told: str):
    assert told in text_of(admin.post(page(prompt), form, follow=True))
    assert labels_of(prompt) == {"latest": 2, "production": 1}


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ({}, ("production", "2")),
        ({"version": "1"}, ("production", "1")),
        ({"label": "beta"}, ("beta", "2")),
        ({"label": "staging"}, ("staging", "")),  # serves the newest already
        ({"label": "staging", "version": "1"}, ("staging", "1")),
    ],
)
def test_the_form_proposes_what_one_most_likely_wants(
    admin: Client, prompt: Prompt, asked: dict[str, str], proposed: tuple[str, str]
):
    move_label(prompt, "staging", 2, actor=None)
    shown = admin.get(page(prompt), asked)
    assert (shown.context["asked"]["label"], shown.context["asked"]["version"]) == proposed
    assert ("afn-verdict-head" in text_of(shown)) == (proposed[1] != "")


@pytest.mark.parametrize(
    ("label", "is_new", "near"),
    [
        ("prodution", True, "production"),
        ("beta", False, ""),
        ("production", False, ""),
        ("kitchen", True, ""),
    ],
)
def test_a_slip_in_a_label_is_told(
    admin: Client, prompt: Prompt, make: Callable[..., Prompt], label: str, is_new: bool, near: str
):
    move_label(make("writing/other"), "beta", 1, actor=None)
    text = text_of(admin.get(page(prompt), {"label": label, "version": "2"}, HTTP_HX_REQUEST="true"))
    assert (f"{label} is a new label: no prompt has it yet." in text) == is_new
    assert (f"Did you mean {near}?" in text) == bool(near)


def test_whoever_leaves_applications_without_a_version_is_told(admin: Client, prompt: Prompt):
    move = prompt.label_moves.get()
    data = {"action": "undo", "label": "production", "move": move.pk}
    told = text_of(admin.post(page(prompt), data, follow=True))
    assert "production serves nothing, as before. Applications that ask for it get an error." in told


def test_the_log_is_paged_and_the_page_asks_the_same_for_any_length(
    admin: Client, prompt: Prompt, django_assert_num_queries: Any
):
    for number in range(12):
        move_label(prompt, f"l{number}", 1, actor=None)
        remove_label(prompt, f"l{number}", actor=None)
        move_label(prompt, f"l{number}", 2, actor=None)

    # Session, user, prompt; labels, last and undoable moves, policies (twice), splits; head: labels, number;
    # versions, log, undone ones; of what the form proposes: version, policy, whether it is so already.
    with django_assert_num_queries(17):
        first = admin.get(page(prompt))
    assert len(first.context["moves"]) == 20
    older = admin.get(page(prompt), {"before": first.context["more"]})
    assert len(older.context["moves"]) == 17
    assert older.context["moves"][0].pk < first.context["moves"][-1].pk
    assert len(admin.get(page(prompt), {"of": "l1", "before": "x"}).context["moves"]) == 3


def test_code_to_be_copied_has_the_address_and_the_names(
    admin: Client, prompt: Prompt, django_assert_num_queries: Any
):
    # Session, user, prompt, labels; what is served; head: labels, number.
    with django_assert_num_queries(7):
        shown = text_of(admin.get(page(prompt, "use")))
    assert "http://testserver/api/v1/prompts/writing/resume/render" in shown
    assert "label=&quot;production&quot;" in shown
    assert "compile(name=&quot;…&quot;)" in shown
    assert "One {{name}}" in shown
    missing = text_of(admin.get(page(prompt, "use"), {"label": SCRIPT}))
    assert "get an error" in missing
    assert "<script>alert" not in missing


def test_the_preview_shows_and_saves_nothing(admin: Client, prompt: Prompt):
    url = reverse("admin:prompts_prompt_preview")
    form = {
        "name": "writing/resume",
        "content": f"Dear {{{{name}}}} {SCRIPT}\r\n{{{{x}}}}",
        "sample.name": SCRIPT,
    }

    shown = admin.post(url, form).content.decode()

    assert "<script>alert" not in shown
    assert "Dear &lt;script&gt;" in shown
    assert 'name="sample.x"' in shown
    assert "about <b>" in shown
    prompt.refresh_from_db()
    assert prompt.content == "Two {{name}}"


def test_prompts_to_be_included_are_found_with_their_labels(
    admin: Client, prompt: Prompt, make: Callable[..., Prompt], django_assert_num_queries: Any
):
    make("writing/chat", '[{"role": "user", "content": "x"}]', type="chat")
    make("writing/jinja", "x", template_format="jinja2")
    url = reverse("admin:prompts_prompt_includes")

    with django_assert_num_queries(4):
        shown = text_of(admin.get(url, {"q": "RITING"}))
    assert 'data-insert="@@@langfusePrompt:name=writing/resume|label=production@@@"' in shown
    assert ("writing/chat" in shown, "writing/jinja" in shown) == (False, False)
    assert "writing/chat" in text_of(admin.get(url, {"q": "writing", "type": "chat"}))
    assert "No prompt of the same format" in text_of(
        admin.get(url, {"q": "resume", "name": "writing/resume"})
    )


def test_who_may_only_read_sees_the_preview_and_moves_nothing(staff: Callable[..., Client], prompt: Prompt):
    client = staff("view_prompt")

    form = text_of(client.get(page(prompt, "change")))
    assert "afn-side" in form
    assert 'name="_save"' not in form
    shown = text_of(client.get(page(prompt)))
    assert "Move a label" not in shown
    assert client.post(page(prompt), {"action": "move", "label": "a", "version": "1"}).status_code == 403
