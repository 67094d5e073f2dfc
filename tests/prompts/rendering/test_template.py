"""Templates as a whole: checked, asked for their variables, and filled in; Jinja by the real workers."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.models import Payload
from prompts.rendering import messages
from prompts.rendering import template as module
from prompts.rendering.errors import TemplateProblem, TemplateSyntaxProblem
from prompts.rendering.signature import WrongVariables
from prompts.rendering.template import Template, render

CHAT = messages.dump(
    [
        {"role": "system", "content": "Be {{tone}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
    ]
)
COLLIDING = messages.dump([{"type": "placeholder", "name": "a"}, {"role": "user", "content": "{{a}}"}])
PIECES = st.sampled_from(["{{a}}", "{{ b }}", "{{", "}}", "{%", "%}", "@@@", "x", "要約", "\n", "{{a.b}}"])
TEXTS = st.lists(PIECES, max_size=10).map("".join)
VALUES = st.dictionaries(
    st.sampled_from(["a", "b", "a.b", "c"]), TEXTS | st.none() | st.integers() | st.lists(st.text(max_size=2))
)


def text(content: str, **fields: Any) -> Template:
    return Template("text", content, **fields)


def jinja(content: str, **variables: Any) -> Template:
    return Template("text", content, "jinja2", variables)


@given(content=TEXTS, values=VALUES, partial=st.booleans(), is_chat=st.booleans())
def test_rendering_raises_nothing_but_template_problems(
    content: str, values: dict[str, Any], partial: bool, is_chat: bool
) -> None:
    stored = messages.dump([{"role": "user", "content": content}]) if is_chat else content
    template = Template("chat" if is_chat else "text", stored)
    try:
        rendered = render(template, values, allow_partial=partial)
    except TemplateProblem:
        return
    assert partial or not rendered.missing
    assert bool(rendered.messages) == is_chat


@given(values=st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}))
def test_values_are_never_templates(values: dict[str, str]) -> None:
    assert render(text("{{a}}|{{b}}"), values).text == f"{values['a']}|{values['b']}"


@settings(max_examples=20, deadline=None)
@given(value=TEXTS)
def test_nor_are_they_in_jinja(value: str) -> None:
    assert render(jinja("{{ a }}|"), {"a": value}).text == f"{value}|"


def test_a_chat_is_filled_in_message_by_message() -> None:
    template = Template("chat", CHAT, variables={"tone": {"default": "kind"}})
    history = [{"role": "user", "content": "{{question}}"}]
    rendered = render(template, {"question": "Why?"}, {"history": history})
    assert [one["content"] for one in rendered.messages] == ["Be kind.", "{{question}}", "Why?"]
    assert (rendered.text, rendered.missing) == ("", [])
    assert len(render(template, {"question": ""}, {"history": []}).messages) == 2


def test_what_is_missing_is_left_and_listed() -> None:
    rendered = render(Template("chat", CHAT), {"tone": "kind"}, allow_partial=True)
    assert rendered.missing == ["question", "history"]
    assert rendered.messages[1:] == messages.parse(CHAT)[1:]


def test_variables_and_placeholders_are_told_together() -> None:
    with pytest.raises(WrongVariables) as caught:
        render(Template("chat", CHAT), {"tone": 1}, {"histroy": [], "\ud800": []})
    told = [one.field for one in caught.value.problems]
    assert told == [
        "variables.tone",
        "variables.question",
        "placeholders.histroy",
        "placeholders.?",
        "placeholders.history",
    ]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("text", "placeholders.history"),
        ([{"role": "user"}], "placeholders.history[0].content"),
        ([{"type": "placeholder", "name": "history"}], "placeholders.history[0].type"),
        ([{"role": "user", "content": "x"}] * 501, "placeholders.history"),
    ],
)
def test_a_placeholder_takes_messages(value: Any, field: str) -> None:
    with pytest.raises(WrongVariables) as caught:
        render(Template("chat", CHAT), {"tone": "", "question": ""}, {"history": value})
    assert caught.value.field == field


@pytest.mark.parametrize("format_", ["simple", "jinja2"])
def test_an_output_that_is_too_long_is_refused(format_: Any) -> None:
    with pytest.raises(TemplateProblem):
        render(text("{{a}}" * 100, format=format_), {"a": "x" * 20_000})


def test_a_hundred_thousand_unknown_placeholders_are_not_all_told() -> None:
    chat = messages.dump([{"type": "placeholder", "name": f"p{n}"} for n in range(500)])
    with pytest.raises(WrongVariables) as caught:
        render(Template("chat", chat), {}, {f"x{n}": [] for n in range(100_000)}, allow_partial=True)
    assert len(caught.value.problems) == 20


def test_jinja_has_conditions_loops_and_any_value() -> None:
    template = jinja(
        "{% for one in items %}{{ one.name|upper }}{% if not loop.last %}, {% endif %}{% endfor %}"
    )
    template.check()
    assert template.signature["items"].type == "json"
    assert render(template, {"items": [{"name": "a"}, {"name": "b"}]}).text == "A, B"


def test_jinja_of_a_chat_keeps_messages_apart() -> None:
    chat = messages.dump(
        [{"role": "user", "content": "{% if a %}"}, {"role": "user", "content": "{% endif %}"}]
    )
    with pytest.raises(TemplateSyntaxProblem):
        Template("chat", chat, "jinja2").check()


@pytest.mark.parametrize("content", ["{% if %}", "{{ a", "{% include 'x' %}"])
def test_jinja_that_cannot_be_read_is_told_by_line(content: str) -> None:
    with pytest.raises(TemplateSyntaxProblem, match="line 2"):
        jinja(f"One\n{content}").check()


def test_names_of_long_templates_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(module.jinja, "analyse", lambda texts: asked.append(texts) or ["a"])
    module._known_names.cache_clear()
    for content in ("{{ a }}", "{{ a }}" + "x" * 50_000):
        for _ in range(2):
            assert list(jinja(content).signature) == ["a"]
    module._known_names.cache_clear()
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("template", "field"),
    [
        (text("Hi", variables={"a": {}}), "variables.a"),
        (text("{{a}}", variables={"a": {"type": "x"}}), "variables.a.type"),
        (text("".join(f"{{{{v{n}}}}}" for n in range(201))), "content"),
        (text("@@@prompt:name=a@@@"), "content"),
        (Template("chat", "Hello"), "content"),
        (Template("chat", COLLIDING), "content"),
    ],
)
def test_a_template_that_could_never_be_rendered_is_refused(template: Template, field: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        template.check()
    assert caught.value.field == field


@pytest.mark.parametrize("variables", [None, [1], "x", 5])
def test_declarations_of_plain_sql_are_told(variables: Any) -> None:
    for ask in ("signature", "declared"):
        with pytest.raises(TemplateProblem, match="an object of declarations"):
            getattr(text("{{a}}", variables=variables), ask)


def test_a_declaration_for_what_is_included_may_be_unused() -> None:
    text("@@@prompt:name=b|label=latest@@@", variables={"a": {"type": "number"}}).check()


def test_declarations_that_say_nothing_are_left_out() -> None:
    variables = {"a": {}, "b": {"type": "number"}, "c": {"type": "string", "required": True}}
    assert text("{{a}}{{b}}{{c}}", variables=variables).declared == {"b": {"type": "number"}}


PAYLOADS = st.builds(
    Payload,
    content=st.sampled_from(["a", "b", "{{a}}"]),
    config=st.dictionaries(st.sampled_from("xy"), st.sampled_from([1, 1.0, True, "1", None]), max_size=2),
    variables=st.sampled_from([{}, {"a": {"type": "number"}}]),
    template_format=st.sampled_from(["simple", "jinja2"]),
)


@given(one=PAYLOADS, other=PAYLOADS)
def test_hashes_are_equal_where_payloads_are_and_only_there(one: Payload, other: Payload) -> None:
    def exact(payload: Payload) -> str:  # 1, 1.0 and true are equal in Python only
        return json.dumps(payload.as_dict(), sort_keys=True)

    assert (one.hash == other.hash) == (exact(one) == exact(other))
    assert one.hash != Payload(exact(other)).hash
    if other.hash != Payload(other.content).hash:
        hashed = json.dumps(other.as_dict(), ensure_ascii=False, sort_keys=True)
        assert Payload(hashed).hash != other.hash
