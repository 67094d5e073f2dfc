"""The pages of a prompt's versions: time line, differences, who wrote what, relations, near-duplicates."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from prompts.labels import move_label
from prompts.models import Evaluation, Prompt, PromptVersion, User
from prompts.saving import save_prompt

from .conftest import text_of

SCRIPT = "<script>alert(1)</script>"


def page(prompt: Prompt, name: str, query: str = "") -> str:
    return reverse(f"admin:prompts_prompt_{name}", args=[prompt.pk]) + query


@pytest.fixture
def edited(make: Callable[..., Prompt], aoi: User) -> Prompt:
    """Of three versions, of which one has a label and scores."""
    prompt = make("writing/resume", "One\nTwo\nThree\n")
    for content, message in (("One\nTwo!\nThree\n", "Louder"), ("One\nTwo!\nThree\nFour\n", SCRIPT)):
        prompt.content = content
        save_prompt(prompt, author=aoi, message=message)
    move_label(prompt, "production", 2, actor=None)
    version = prompt.versions.get(version=2)
    for score in (0.5, 1.0):
        Evaluation.objects.create(prompt=prompt, version=version, score=score)
    return prompt


def test_the_time_line_tells_of_each_version(admin: Client, edited: Prompt) -> None:
    answer = admin.get(page(edited, "versions"))

    first, second, third = reversed(answer.context["entries"])
    assert [entry.version.version for entry in (first, second, third)] == [1, 2, 3]
    assert (first.previous, first.growth) == (None, None)
    assert (second.previous, second.growth, second.labels, second.mean) == (1, 1, ("production",), 0.75)
    assert (third.previous, third.growth, third.n) == (2, 5, 0)
    assert SCRIPT not in answer.content.decode()
    assert "?from=1&amp;to=2" in answer.content.decode()


def test_the_page_of_a_version_stands_below_the_tabs_of_its_prompt(admin: Client, edited: Prompt) -> None:
    version = edited.versions.get(version=2)
    shown = text_of(admin.get(reverse("admin:prompts_promptversion_change", args=[version.pk])))
    assert page(edited, "labels") in shown
    assert page(edited, "versions") in shown


def test_a_time_line_of_thousands_of_versions_costs_as_much_as_one_of_three(
    admin: Client, edited: Prompt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin.get(page(edited, "versions"))
    with django_assert_num_queries(8) as few:
        admin.get(page(edited, "versions"))
    PromptVersion.objects.bulk_create(
        PromptVersion(prompt=edited, version=number, content=f"Text {number}", content_hash=f"{number}")
        for number in range(4, 2_000)
    )
    Prompt.objects.filter(pk=edited.pk).update(version=1_999)

    with django_assert_num_queries(len(few)):
        newest = admin.get(page(edited, "versions"))
    older = admin.get(page(edited, "versions", f"?before={newest.context['older']}"))

    assert [entry.version.version for entry in newest.context["entries"]][:2] == [1_999, 1_998]
    assert older.context["entries"][0].version.version == 1_999 - len(newest.context["entries"])
    assert admin.get(page(edited, "versions", "?before=1")).context["entries"] == []
    assert 'type="number" name="from"' in text_of(admin.get(page(edited, "compare", "?from=1&to=2")))


def test_restoring_a_version_makes_a_new_one_of_it(admin: Client, edited: Prompt, aoi: User) -> None:
    answer = admin.post(page(edited, "versions"), {"version": "1"}, follow=True)

    newest = edited.versions.get(version=4)
    assert (newest.content, newest.message, newest.author) == ("One\nTwo\nThree\n", "Restored v1", aoi)
    assert "v4 was added, with the content of v1." in text_of(answer)
    again = admin.post(page(edited, "versions"), {"version": "1"}, follow=True)
    assert "v4 has the content of v1 already." in text_of(again)
    for number in ("9", "", "x"):
        assert "got" in text_of(admin.post(page(edited, "versions"), {"version": number}, follow=True))
    assert edited.versions.count() == 4


def test_only_who_may_change_a_prompt_restores_its_versions(
    staff: Callable[..., Client], edited: Prompt
) -> None:
    client = staff("view_prompt", "change_prompt")  # it is another's

    assert "Restore<" not in text_of(client.get(page(edited, "versions")))
    assert client.post(page(edited, "versions"), {"version": "1"}).status_code == 403
    assert edited.versions.count() == 3


def test_differences_go_by_the_kept_version_before(admin: Client, edited: Prompt) -> None:
    answer = admin.get(page(edited, "compare"))

    assert (answer.context["old"].version, answer.context["new"].version) == (2, 3)
    assert answer.context["added"] == 1
    one = admin.get(page(edited, "compare", "?from=1&to=3&view=one&all=1"))
    assert "afn-diff-one" in text_of(one)
    assert not any(hasattr(row, "lines") for row in one.context["rows"])
    assert admin.get(page(edited, "compare", "?from=1&to=77")).status_code == 404


def test_changes_of_config_are_listed_beside_those_of_the_text(
    admin: Client, edited: Prompt, aoi: User
) -> None:
    edited.config = {"temperature": 0, "model": SCRIPT}
    save_prompt(edited, author=aoi)

    answer = admin.get(page(edited, "compare"))

    assert ("config.temperature", "", "0") in answer.context["changes"]
    assert SCRIPT not in answer.content.decode()


def test_each_line_tells_the_version_that_brought_it(
    admin: Client, edited: Prompt, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin.get(page(edited, "blame"))
    with django_assert_num_queries(9):
        answer = admin.get(page(edited, "blame"))

    passages = answer.context["passages"]
    assert [(one.version, [line.text.strip() for line in one.lines]) for one in passages] == [
        (1, ["One"]),
        (2, ["Two!"]),
        (1, ["Three"]),
        (3, ["Four"]),
    ]
    assert passages[1].url.endswith("?from=1&to=2")
    assert passages[3].age == 0
    assert SCRIPT not in answer.content.decode()
    assert admin.get(page(edited, "blame", "?version=9")).status_code == 404


def test_relations_show_what_is_included_and_what_includes_it_in_all_levels(
    admin: Client, make: Callable[..., Prompt], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make("parts/tone", "Be kind.")
    style = make("parts/style", "@@@prompt:name=parts/tone|label=latest@@@ Be brief.")
    for number in range(5):
        make(f"letter-{number}", "@@@prompt:name=parts/style|version=1@@@ Write a letter.")
    make("letters", "@@@prompt:name=letter-1|label=latest@@@ Write another.")

    admin.get(page(style, "relations"))
    with django_assert_num_queries(21):
        found = admin.get(page(style, "relations"))

    relations = found.context["relations"]
    assert [one.reference.name for one in relations.includes] == ["parts/tone"]
    assert [one.name for one in relations.included_by] == [f"letter-{number}" for number in range(5)]
    assert [one.name for one in relations.included_by[1].outer] == ["letters"]
    letters = admin.get(page(Prompt.objects.get(name="letters"), "relations")).context["relations"]
    assert [one.name for one in (letters.includes[0].inner[0].inner[0].part,)] == ["parts/tone"]


def test_what_is_included_and_missing_is_shown_as_missing(admin: Client, make: Callable[..., Prompt]) -> None:
    prompt = make("a", "Write.")
    content = "@@@prompt:name=gone|label=latest@@@"
    Prompt.objects.filter(pk=prompt.pk).update(content=content)  # as plain SQL does

    assert "gone (latest) is missing" in text_of(admin.get(page(prompt, "relations")))
    Prompt.objects.filter(pk=prompt.pk).update(content="@@@prompt:nonsense@@@")
    assert "afn-warning" in text_of(admin.get(page(prompt, "relations")))


def test_near_duplicates_are_told_and_their_texts_compared(
    admin: Client, make: Callable[..., Prompt]
) -> None:
    prompt = make("a", "Rewrite the resume of the applicant.", title="Resume")
    twin = make("b", "Rewrite the resume of the applicant .", title="Resume")
    make("c", "Something else entirely: bake bread.", title=SCRIPT)

    answer = admin.get(page(prompt, "relations"))

    hit, is_near = answer.context["similar"][0]
    assert (hit.row.name, is_near) == ("b", True)
    assert SCRIPT not in answer.content.decode()
    texts = admin.get(page(prompt, "texts", f"?with={twin.pk}"))
    assert texts.context["added"] == 1
    assert SCRIPT not in texts.content.decode()
    for query in ("", "?with=nothing", f"?with={'0' * 32}"):
        assert admin.get(page(prompt, "texts", query)).status_code == 404


@pytest.mark.parametrize("name", ["versions", "blame", "compare", "relations", "texts"])
def test_who_may_not_see_prompts_sees_none_of_their_pages(
    staff: Callable[..., Client], edited: Prompt, name: str, client: Any
) -> None:
    assert staff("view_evaluation").get(page(edited, name)).status_code == 403
    assert client.get(page(edited, name)).status_code == 302
