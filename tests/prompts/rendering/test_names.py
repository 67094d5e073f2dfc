"""Variables of simple templates: found, counted and filled in, in one pass."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rendering import names
from prompts.rendering.errors import TemplateProblem

PIECES = st.sampled_from(
    ["{{", "}}", "{", "}", " ", "\n", "a", "名前", "_", "1", "a.b", "{{a}}", "{{ b }}", "-"]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear {{name}}, {{ name }}\n{{\tcity\n}}", ["name", "city"]),
        ("{{名前}} {{a.b-c_1}} {{_x}}", ["名前", "a.b-c_1", "_x"]),
        ("{{}} {{ }} {{1a}} {{a b}} {name} {{{x}}}", ["x"]),
        ("{{" + "a" * 64 + "}} {{" + "b" * 65 + "}}", ["a" * 64]),
        ("{% if x %}{{ x|upper }}{# y #}", []),
    ],
)
def test_a_variable_is_a_name_in_two_braces(text: str, found: list[str]) -> None:
    assert names.variables(text) == found
    assert set(names.count(text)) == set(found)


@given(text=TEXTS, value=TEXTS)
def test_values_are_never_templates(text: str, value: str) -> None:
    used = names.variables(text)
    filled = names.substitute(text, dict.fromkeys(used, "\0"))
    assert filled.count("\0") == names.count(text).total()
    assert names.substitute(text, dict.fromkeys(used, value)) == filled.replace("\0", value)


@given(text=TEXTS)
def test_what_has_no_value_stays_as_it_was_written(text: str) -> None:
    assert names.substitute(text, {}) == text


@pytest.mark.parametrize("unit", ["{{", "{{ ", "{{a", "{{a ", "{{" + "a" * 63, "}}", "{{" + " " * 1_000])
def test_a_million_characters_take_no_longer_than_they_are(unit: str) -> None:
    started = time.process_time()
    names.variables(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("value", "got"),
    [(None, "nothing"), (1, "int"), ("abcd", "4"), ("\0", "NUL at character 0"), ("a\udfff", "U+DFFF")],
)
def test_text_that_cannot_be_stored_is_told(value: object, got: str) -> None:
    with pytest.raises(TemplateProblem, match="f: expected") as caught:
        names.check_text(value, "f", 3)
    assert got in caught.value.got


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear {{name}}, {{ name }} {{名前}} {{{x}}}", []),
        ("Hello\nGreet {{name} warmly", [(2, "{{name}")]),
        ("{{agent name}}\n\n{{ a-b c }}", [(1, "{{agent name}}"), (3, "{{ a-b c }}")]),
        ("{name}} and {{name\nnext", [(1, "{name}}"), (1, "{{name")]),
        ('{"a": {"b": {"c": 1}}} {} {{}} {{ }} f({x}) {{"a": {x}}} {{1}}', []),
        ("{{x|upper}} {{お名前 様}}", [(1, "{{x|upper}}"), (1, "{{お名前 様}}")]),
    ],
)
def test_what_looks_like_a_variable_and_is_none_is_found(text: str, found: list[tuple[int, str]]) -> None:
    assert names.doubtful(text, 5) == found


@given(TEXTS)
def test_what_is_a_variable_is_not_doubted(text: str) -> None:
    doubts = {doubt for _line, doubt in names.doubtful(text, 100)}
    assert not doubts & {f"{{{{{name}}}}}" for name in names.variables(text)}


def test_no_more_doubts_are_told_than_asked_for() -> None:
    assert len(names.doubtful("{{a" * 300_000, 3)) == 3
