"""Prompts that include others: put together as a naive reader would, or refused with the reason."""

import random
import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from prompts.composition import MAX_PARTS, Part, compose, find_parts, part_of
from prompts.errors import CompositionProblem
from prompts.labels import move_label
from prompts.models import Prompt, PromptVersion, User
from prompts.rendering import messages
from prompts.rendering.references import Reference
from prompts.rendering.template import Template
from prompts.saving import save_prompt

pytestmark = pytest.mark.django_db


def tag(name: str, where: str = "label=latest") -> str:
    return f"@@@prompt:name={name}|{where}@@@"


@pytest.fixture
def put(user: User) -> Any:
    """Store a prompt as it is, unchecked, as plain SQL or a merge may."""

    def prompt(name: str, content: Any, **fields: Any) -> Prompt:
        kind = "chat" if isinstance(content, list) else "text"
        stored = messages.dump(content) if kind == "chat" else content
        made = Prompt.objects.filter(name=name).first() or Prompt(user=user, name=name, title=name, type=kind)
        made.content = stored
        for field, value in fields.items():
            setattr(made, field, value)
        made.save(index=False)
        return made

    return prompt


def composed(prompt: Prompt) -> Any:
    template = compose(
        part_of(prompt.name, prompt.type, prompt.versions.get(version=prompt.version))
    ).template
    return template.messages if template.type == "chat" else template.content


def user_says(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_what_is_included_stands_in_its_place(put: Any) -> None:
    put("inner", "one")
    inner = put("inner", "two")
    move_label(inner, "production", 1, actor=None)
    root = put("root", f"<{tag('inner')}|{tag('inner', 'version=1')}|{tag('inner', 'label=production')}>")
    assert composed(root) == "<two|one|one>"


def test_included_texts_may_include_others(put: Any) -> None:
    put("c", "C {{x}}")
    put("b", f"B {tag('c')}")
    assert composed(put("a", f"A {tag('b')} {tag('c')}")) == "A B C {{x}} C {{x}}"


def test_a_chat_gives_its_messages_and_a_text_its_words(put: Any) -> None:
    put("rules", "Be kind.")
    put(
        "examples",
        [user_says("Q"), {"role": "assistant", "content": "A"}, {"type": "placeholder", "name": "p"}],
    )
    root = put(
        "root", [user_says(f"Rules: {tag('rules')}"), user_says(f" {tag('examples')}\n"), user_says("!")]
    )
    assert [one.get("content", one.get("name")) for one in composed(root)] == [
        "Rules: Be kind.",
        "Q",
        "A",
        "p",
        "!",
    ]


@pytest.mark.parametrize("around", ["{}", "say {}", "{}{}"])
def test_a_chat_is_no_part_of_a_text(put: Any, around: str) -> None:
    put("chat", [user_says("Q")])
    reference = tag("chat")
    text = around.replace("{}", reference)
    with pytest.raises(CompositionProblem, match="got the chat chat"):
        composed(put("text", text))
    if text != reference:
        with pytest.raises(CompositionProblem, match="A chat can only be included by a message"):
            composed(put("other", [user_says(text)]))


@pytest.mark.parametrize("where", ["version=9", "label=gone"])
def test_what_is_not_there_is_named(put: Any, where: str) -> None:
    put("inner", "x")
    with pytest.raises(CompositionProblem, match=r"got inner \((version 9|gone)\), which does not"):
        composed(put("root", tag("inner", where)))
    with pytest.raises(CompositionProblem, match="got nobody"):
        composed(put("root", tag("nobody", where)))


def test_what_is_in_the_trash_is_not_there(put: Any) -> None:
    inner = put("inner", "x")
    PromptVersion.objects.filter(prompt=inner).update(deleted_at=inner.created_at)
    with pytest.raises(CompositionProblem, match="which does not"):
        composed(put("root", tag("inner", "version=1")))


def test_five_levels_are_the_most(put: Any) -> None:
    put("p0", "end")
    for level in range(1, 6):
        assert composed(put(f"p{level}", tag(f"p{level - 1}"))) == "end"
    with pytest.raises(CompositionProblem, match="at most 5 levels"):
        composed(put("p6", tag("p5")))


def test_long_chains_that_are_also_included_directly_are_too_deep(put: Any) -> None:
    """Found in one level, and as deep as Python's stack: what was a RecursionError."""
    put("p0", "end")
    for n in range(1, 500):
        put(f"p{n}", tag(f"p{n - 1}"))
    with pytest.raises(CompositionProblem, match="at most 5 levels"):
        composed(put("root", "".join(tag(f"p{n}") for n in reversed(range(500)))))


def test_a_circle_is_told(put: Any) -> None:
    put("a", "x")
    put("b", tag("a"))
    put("a", tag("b"))
    with pytest.raises(CompositionProblem, match="no prompt that includes itself"):
        composed(Prompt.objects.get(name="a"))
    with pytest.raises(CompositionProblem, match="in a circle"):
        composed(put("root", tag("a")))


def test_formats_do_not_mix(put: Any) -> None:
    put("inner", "{{ x }}", template_format="jinja2")
    with pytest.raises(CompositionProblem, match="of the template format simple, got inner"):
        composed(put("root", tag("inner")))


def test_too_many_parts_are_refused_before_they_are_read(put: Any) -> None:
    text = "".join(tag(f"p{n}") for n in range(30_000))
    with CaptureQueriesContext(connection) as queries, pytest.raises(CompositionProblem) as caught:
        compose(Part("", "root", 0, Template("text", text)))
    assert (len(queries), caught.value.expected) == (0, f"at most {MAX_PARTS} included prompts")


def test_growth_that_doubles_ends_before_it_is_written_out(put: Any) -> None:
    put("p0", "x" * 1_000)
    for level in range(1, 5):
        put(f"p{level}", tag(f"p{level - 1}") * 100)
    with pytest.raises(CompositionProblem, match="at most 1,000,000 characters"):
        composed(Prompt.objects.get(name="p4"))


def test_chats_that_double_end_as_well(put: Any) -> None:
    put("p0", [user_says("x")] * 2)
    for level in range(1, 5):
        put(f"p{level}", [user_says(tag(f"p{level - 1}"))] * 400)
    with pytest.raises(CompositionProblem, match="at most 500 messages"):
        composed(Prompt.objects.get(name="p4"))


def test_contents_that_are_too_much_are_not_read(put: Any) -> None:
    for n in range(6):
        put(f"p{n}", "x" * 900_000)
    wanted = [Reference(f"p{n}", "latest") for n in range(6)]
    with CaptureQueriesContext(connection) as queries, pytest.raises(CompositionProblem, match="characters"):
        find_parts(wanted)
    assert max(query["sql"].count('"content"') for query in queries) <= 1


def test_references_take_the_same_queries_for_any_number(put: Any, django_assert_num_queries: Any) -> None:
    for n in range(20):
        move_label(put(f"p{n}", "x"), "production", 1, actor=None)
    text = "".join(tag(f"p{n}", ("label=production", "version=1", "label=latest")[n % 3]) for n in range(20))
    with django_assert_num_queries(4):  # prompts, labels, lengths, versions
        assert compose(Part("", "root", 0, Template("text", text))).template.content == "x" * 20


def test_who_includes_may_declare_anew(put: Any) -> None:
    put("inner", "{{tone}}", variables={"tone": {"type": "number"}})
    root = put("root", tag("inner"), variables={"tone": {"type": "enum", "values": ["kind"]}})
    template = compose(part_of("root", "text", root.versions.get())).template
    assert template.signature["tone"].type == "enum"


def test_the_graph_says_what_includes_what(put: Any) -> None:
    inner = put("inner", "x")
    root = put("root", tag("inner"))
    composition = compose(part_of("root", "text", root.versions.get()))
    node = {"name": "inner", "version": 1, "id": inner.versions.get().pk}
    top = {"name": "root", "version": 1, "id": root.versions.get().pk}
    assert composition.graph == {"root": top, "dependencies": {top["id"]: [node]}}
    assert compose(part_of("inner", "text", inner.versions.get())).graph is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"content": "@@@prompt:name=inner@@@"}, "content"),
        ({"content": tag("inner"), "variables": {"nobody": {"type": "number"}}}, "variables"),
    ],
)
def test_saving_checks_with_all_that_is_included(put: Any, user: User, fields: Any, field: str) -> None:
    put("inner", "{{a}}")
    with pytest.raises(ValidationError) as caught:
        save_prompt(Prompt(user=user, name="root", title="T", **fields), author=user)
    assert list(caught.value.error_dict) == [field]
    assert not Prompt.objects.filter(name="root").exists()


def test_the_parts_together_have_few_enough_variables(put: Any, user: User) -> None:
    for name in "ab":
        put(name, "".join(f"{{{{{name}{n}}}}}" for n in range(150)))
    with pytest.raises(ValidationError, match="at most 200 variables, got 300, with all that is included"):
        save_prompt(Prompt(user=user, name="root", title="T", content=tag("a") + tag("b")), author=user)


def naive(name: str, contents: dict[str, str], above: tuple[str, ...]) -> str:
    """What a prompt comes to, by following each tag where it stands."""
    if name not in contents or name in above or len(above) > 5:
        raise LookupError
    return re.sub(
        r"@@@prompt:name=(\w+)\|label=latest@@@",
        lambda found: naive(found[1], contents, (*above, name)),
        contents[name],
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_end_and_are_as_a_naive_reader_has_them(put: Any, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"p{n}" for n in range(9)]
    contents = {}
    for at, name in enumerate(names):
        # Mostly of earlier ones; now and then of a later one, which may close a circle, or of none.
        others = [*names[:at], chance.choice([*names, "nobody"])] if chance.random() < 0.2 else names[:at]
        inner = chance.sample(others, min(len(others), chance.randrange(3)))
        contents[name] = name + "".join(f"({tag(one)})" for one in inner)
    for name, content in contents.items():
        put(name, content)
    for prompt in Prompt.objects.all():
        try:
            expected = naive(prompt.name, contents, ())
        except LookupError:
            with pytest.raises(CompositionProblem):
                composed(prompt)
        else:
            assert composed(prompt) == expected
