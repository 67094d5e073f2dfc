"""Which prompts include a prompt, and changes that would make them fail."""

from typing import Any

import pytest
from django.db import connection

from prompts import trash
from prompts.dependants import find_dependants
from prompts.errors import Refused
from prompts.labels import move_label, remove_label, undo
from prompts.models import LabelMove, Prompt, PromptLabel, User
from prompts.rendering import messages
from prompts.saving import save_prompt

pytestmark = pytest.mark.django_db


def tag(name: str, where: str = "label=production") -> str:
    return f"@@@prompt:name={name}|{where}@@@"


@pytest.fixture
def save(user: User) -> Any:
    def prompt(name: str, content: str | list[Any], labels: Any = (), **fields: Any) -> Prompt:
        kind = "chat" if isinstance(content, list) else "text"
        made = Prompt.objects.filter(name=name).first() or Prompt(user=user, name=name, title=name, type=kind)
        made.content = content if isinstance(content, str) else messages.dump(content)
        for field, value in fields.items():
            setattr(made, field, value)
        save_prompt(made, author=user, labels=labels)
        return made

    return prompt


def test_dependants_are_found_in_texts_and_chats_by_label_and_version(save: Any) -> None:
    for name in ("a", "a b", 'it\'s "q"', "a/b", "あ"):
        save(name, "x", labels=["production"])
        save("text", tag(name))
        save("chat", [{"role": "user", "content": tag(name, "version=1")}])
        found = [(one.name, one.version, one.is_latest) for one in find_dependants(name)]
        assert {one for one in found if one[2]} == {
            (one.name, one.version, True) for one in Prompt.objects.filter(name__in=["text", "chat"])
        }
    assert {one.version for one in find_dependants("a")} == {1}  # not a/b or "a b"


def test_names_that_plain_sql_escaped_are_found(save: Any) -> None:
    save("あ", "x", labels=["production"])
    chat = save("chat", [{"role": "user", "content": "x"}])
    escaped = '[{"role": "user", "content": "@@@prompt:name=\\u3042|version=1@@@"}]'
    with connection.cursor() as cursor:
        cursor.execute("UPDATE prompts SET content = %s WHERE id = %s", [escaped, chat.pk])
    Prompt.objects.get(pk=chat.pk).save(index=False)
    assert [one.name for one in find_dependants("あ")] == ["chat"]


def test_the_labels_of_a_dependant_are_told(save: Any) -> None:
    save("inner", "x", labels=["production"])
    save("root", tag("inner"), labels=["production", "beta"])
    (one,) = find_dependants("inner")
    assert one.as_json() == {
        "name": "root",
        "version": 1,
        "is_latest": True,
        "labels": ["beta", "production"],
        "label": "production",
        "referenced_version": None,
    }


def test_finding_them_takes_the_same_queries_for_any_number(
    save: Any, django_assert_num_queries: Any
) -> None:
    save("inner", "x", labels=["production"])
    for n in range(8):
        save(f"p{n}", tag("inner"), labels=["production"])
    with django_assert_num_queries(2):  # versions, their labels
        assert len(find_dependants("inner")) == 8


def other_format(save: Any) -> None:
    save("inner", "{{ x }}", template_format="jinja2")


def deeper(save: Any) -> None:
    for n in range(5):
        save(f"d{n}", tag(f"d{n - 1}") if n else "x", labels=["production"])
    save("inner", tag("d4"))


def another_part_that_is_too_long(save: Any) -> None:
    save("inner", "x" * 999_990)


def colliding(save: Any) -> None:
    save("inner", "{{history}}")


CHANGES = [other_format, deeper, another_part_that_is_too_long, colliding]


@pytest.fixture
def chain(save: Any) -> Prompt:
    """``app`` is served, and includes ``middle``, which includes ``inner``, each by its label."""
    inner = save("inner", "x", labels=["production"])
    save("middle", f"middle {tag('inner')}", labels=["production"])
    turns = [{"type": "placeholder", "name": "history"}, {"role": "user", "content": tag("middle")}]
    save("app", turns, labels=["production"])
    return inner


@pytest.mark.parametrize("change", CHANGES)
def test_a_label_does_not_move_where_an_application_would_fail(save: Any, chain: Prompt, change: Any) -> None:
    change(save)
    moves = LabelMove.objects.count()
    with pytest.raises(Refused, match=r"inner.* with which (app|middle) v1 can still be composed"):
        move_label(chain, "production", 2, actor=None)
    assert PromptLabel.objects.get(prompt=chain, name="production").version.version == 1
    assert LabelMove.objects.count() == moves


@pytest.mark.parametrize("change", CHANGES)
def test_a_new_version_is_not_the_newest_where_an_application_would_fail(
    save: Any, chain: Prompt, change: Any
) -> None:
    save("middle", f"middle {tag('inner', 'label=latest')}", labels=["production"])
    with pytest.raises(Refused, match="can still be composed"):
        change(save)
    assert Prompt.objects.get(name="inner").version == 1
    assert chain.versions.count() == 1


def test_versions_that_nobody_reads_do_not_count(save: Any, chain: Prompt) -> None:
    save("app", [{"role": "user", "content": "on its own"}], labels=["production"])
    save("middle", "on its own", labels=["production"])
    other_format(save)
    move_label(chain, "production", 2, actor=None)


def test_what_failed_before_may_go_on_failing(save: Any, chain: Prompt) -> None:
    Prompt.objects.filter(name="middle").update(template_format="jinja2")
    save("inner", "y")
    move_label(chain, "production", 2, actor=None)


def test_what_fits_moves(save: Any, chain: Prompt) -> None:
    save("inner", "{{question}}")
    move_label(chain, "production", 2, actor=None)
    undo(chain, "production", actor=None)


def test_deleting_the_newest_version_may_not_break_what_includes_it(save: Any, user: User) -> None:
    inner = save("inner", "{{ x }}", template_format="jinja2")
    save("inner", "x", template_format="simple")
    save("app", tag("inner", "label=latest"))
    with pytest.raises(Refused, match="app v1 can still be composed"):
        trash.delete_version(inner, 2, actor=user)
    assert Prompt.objects.get(name="inner").version == 2


def test_a_label_by_which_others_include_stays(save: Any, chain: Prompt) -> None:
    with pytest.raises(Refused, match="by which middle v1 does"):
        remove_label(chain, "production", actor=None)
    with pytest.raises(Refused, match="by which middle v1 does"):
        undo(chain, "production", actor=None)


def test_what_is_included_keeps_its_name(save: Any, chain: Prompt, user: User) -> None:
    chain.name = "other"
    with pytest.raises(Refused, match="while middle v1 includes inner"):
        save_prompt(chain, author=user)
    assert Prompt.objects.filter(name="inner").exists()
