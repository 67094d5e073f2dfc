"""What is shown of a prompt that is not saved yet."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from prompts.models import Prompt, User
from prompts.previewing import Doubt, Draft, Preview, preview

pytestmark = pytest.mark.django_db


def shown(content: str, samples: dict[str, str] | None = None, **fields: Any) -> Preview:
    histories = fields.pop("histories", {})
    variables = json.dumps(fields.pop("variables", {}))
    kind = fields.pop("type", "text")
    return preview(Draft("draft", kind, content, variables=variables, **fields), samples or {}, histories)


def told(found: Preview) -> dict[str, str]:
    return {problem.field: problem.text for problem in found.problems}


@pytest.fixture
def save(db: None) -> Callable[..., Prompt]:
    user = User.objects.create_user("aoi", "aoi@example.com")

    def make(name: str, content: str, **fields: Any) -> Prompt:
        made = Prompt(user=user, name=name, title=name, content=content, **fields)
        made.save(index=False)
        return made

    return make


def test_it_is_filled_in_and_names_what_has_no_value() -> None:
    variables = {"tone": {"type": "enum", "values": ["kind", "firm"], "default": "kind"}}
    found = shown("Dear {{name}}, {{tone}}, {{count}}", {"name": "<b>"}, variables=variables)

    assert found.rendered
    assert (found.text, found.rendered.missing) == ("Dear <b>, kind, {{count}}", ["count"])
    assert [(one.variable.name, one.is_declared, one.sample) for one in found.variables] == [
        ("name", False, "<b>"), ("tone", True, ""), ("count", False, ""),
    ]  # fmt: skip
    assert found.problems == []


def test_a_chat_takes_a_history_as_text_or_as_messages() -> None:
    chat = '[{"role": "system", "content": "Be kind."}, {"type": "placeholder", "name": "history"}]'
    for typed, role in (("Hello", "user"), ('[{"role": "assistant", "content": "Hello"}]', "assistant")):
        found = shown(chat, type="chat", histories={"history": typed})
        assert found.rendered
        assert found.rendered.messages[1] == {"role": role, "content": "Hello"}
    assert "placeholders.history[0].role" in told(shown(chat, type="chat", histories={"history": "[{}]"}))


@pytest.mark.parametrize(
    ("content", "fields", "field", "text"),
    [
        (" ", {}, "content", "Expected some text, got none."),
        ("[\n{]", {"type": "chat"}, "content", "Line 2, column 2"),
        ("x", {"variables": {"nobody": {"type": "number"}}}, "variables", "a variable that the content uses"),
        ("x", {"variables": {"a": {"type": "what"}}}, "variables.a.type", "Expected one of string"),
        ("@@@prompt:name=none|label=latest@@@", {}, "content", "none (latest), which does not"),
        ("a\n{% if %}", {"template_format": "jinja2"}, "content", "line 2"),
    ],
)
def test_it_tells_what_saving_would_refuse(content: str, fields: Any, field: str, text: str) -> None:
    assert text in told(shown(content, **fields))[field]


def test_variables_that_are_no_json_are_told_with_their_place() -> None:
    found = preview(Draft("a", "text", "{{name}}", variables='{\n"a": }'), {}, {})
    assert told(found)["variables"].startswith("Expected JSON. Line 2, column 6")
    assert [one.variable.name for one in found.variables] == ["name"]


def test_what_is_included_is_in_its_place_and_the_draft_includes_itself_never(
    save: Callable[..., Prompt],
) -> None:
    save("rules", "Be {{tone}}.")
    found = shown("@@@langfusePrompt:name=rules|label=latest@@@ Write.", {"tone": "kind"})
    assert found.text == "Be kind. Write."
    itself = preview(Draft("rules", "text", "@@@prompt:name=rules|label=latest@@@"), {}, {})
    assert "no prompt that includes itself" in told(itself)["content"]


@pytest.mark.parametrize(
    ("kind", "typed", "text"),
    [("number", "2", "2"), ("list", "a\nb", "a, b"), ("list", '["a", 1]', "a, 1"), ("json", "[1]", "[1]")],
)
def test_a_sample_means_what_its_type_says(kind: str, typed: str, text: str) -> None:
    assert shown("{{x}}", {"x": typed}, variables={"x": {"type": kind}}).text == text


def test_a_sample_that_does_not_fit_is_told_and_left_out() -> None:
    found = shown("{{x}}", {"x": "two"}, variables={"x": {"type": "number"}})
    assert told(found) == {"variables.x": "Expected a number, got 'two'."}
    assert found.text == "{{x}}"


def test_nothing_is_written(save: Callable[..., Prompt], django_assert_num_queries: Any) -> None:
    save("rules", "Be kind.")
    with django_assert_num_queries(3):  # what it includes: prompts, lengths, versions
        shown("@@@prompt:name=rules|label=latest@@@")


def test_what_looks_like_a_variable_and_is_none_is_doubted() -> None:
    assert shown("Dear {{name}}\nGreet {{agent name}}").doubts == [Doubt(2, "{{agent name}}")]
    chat = json.dumps([{"role": "user", "content": "Dear {{name} x"}])
    assert shown(chat, type="chat").doubts == [Doubt(None, "{{name}")]
    assert shown("{{ name | upper }}", template_format="jinja2").doubts == []
