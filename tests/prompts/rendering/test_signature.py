"""Declared variables, and whether values fit."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rendering.errors import TemplateProblem
from prompts.rendering.signature import Variable, WrongVariables, bind, declared, signature

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
DECLARATIONS = st.dictionaries(
    st.sampled_from(["a", "b", "名前"]),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "number", "enum", "list", "json"])},
        optional={
            "required": st.booleans(),
            "default": ANY,
            "values": st.lists(st.text(max_size=3), max_size=3),
        },
    ),
)


@given(declarations=DECLARATIONS | ANY, given_=st.dictionaries(st.sampled_from(["a", "b", "c"]), ANY))
def test_nothing_but_a_template_problem_is_raised(declarations: Any, given_: dict[str, Any]) -> None:
    with suppress(TemplateProblem):
        known = declared(declarations)
        values = bind(known, given_)
        assert values.keys() == known.keys()
        for name, variable in known.items():
            variable.text(values[name]).encode()


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ({}, "text"),
        ({"type": "number"}, 1),
        ({"type": "number"}, -0.5),
        ({"type": "enum", "values": ["x", ""]}, ""),
        ({"type": "list"}, ["a", 1, 2.5]),
        ({"type": "list"}, []),
        ({"type": "json"}, {"a": [None, True, {"b": 1}]}),
    ],
)
def test_a_value_of_its_type_fits(declaration: dict[str, Any], value: Any) -> None:
    assert bind(declared({"a": declaration}), {"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ({}, 1),
        ({}, None),
        ({}, "x" * 1_000_001),
        ({"type": "number"}, True),
        ({"type": "number"}, "1"),
        ({"type": "number"}, float("nan")),
        ({"type": "number"}, 2**70),
        ({"type": "enum", "values": ["x"]}, "y"),
        ({"type": "enum", "values": ["x"]}, ["x"]),
        ({"type": "list"}, "abc"),
        ({"type": "list"}, [[1]]),
        ({"type": "list"}, ["\0"]),
        ({"type": "json"}, {"\ud800": 1}),
        ({"type": "json"}, {"a": float("inf")}),
    ],
)
def test_a_value_of_another_type_is_told_by_name(declaration: dict[str, Any], value: Any) -> None:
    with pytest.raises(WrongVariables) as caught:
        bind(declared({"a": declaration}), {"a": value})
    assert caught.value.field == "variables.a"


def test_ten_thousand_levels_are_told_and_not_followed() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(WrongVariables, match="at most 16 levels"):
        bind({"a": Variable("a", "json")}, {"a": deep})


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "variables"),
        ({"1a": {}}, "variables.1a"),
        ({"a": "string"}, "variables.a"),
        ({"a": {"typ": "string"}}, "variables.a"),
        ({"a": {"type": "text"}}, "variables.a.type"),
        ({"a": {"type": ["string"]}}, "variables.a.type"),
        ({"a": {"required": 1}}, "variables.a.required"),
        ({"a": {"required": True, "default": "x"}}, "variables.a.required"),
        ({"a": {"default": 1}}, "variables.a.default"),
        ({"a": {"description": "x" * 1_001}}, "variables.a.description"),
        ({"a": {"type": "enum"}}, "variables.a.values"),
        ({"a": {"type": "enum", "values": []}}, "variables.a.values"),
        ({"a": {"type": "enum", "values": ["x", "x"]}}, "variables.a.values"),
        ({"a": {"type": "enum", "values": ["x", 1]}}, "variables.a.values[1]"),
        ({"a": {"values": ["x"]}}, "variables.a.values"),
        ({f"v{n}": {} for n in range(201)}, "variables"),
    ],
)
def test_a_wrong_declaration_is_told_by_member(value: Any, field: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        declared(value)
    assert caught.value.field == field


def test_all_that_is_wrong_is_told_at_once() -> None:
    known = signature(["a", "b", "c"], declared({"b": {"type": "number"}}), "string")
    with pytest.raises(WrongVariables) as caught:
        bind(known, {"b": "one", "d": 1})
    told = {one.field: (one.expected, one.got) for one in caught.value.problems}
    assert told == {
        "variables.d": ("a variable of this prompt (a, b, c)", "another one"),
        "variables.a": ("text", "nothing"),
        "variables.b": ("a number", "'one'"),
        "variables.c": ("text", "nothing"),
    }


def test_a_hundred_thousand_unknown_names_are_not_all_told() -> None:
    with pytest.raises(WrongVariables) as caught:
        bind(
            declared({f"v{n}": {} for n in range(200)}),
            {f"x{n}": 1 for n in range(100_000)},
            allow_partial=True,
        )
    assert len(caught.value.problems) == 20


def test_defaults_stand_in_and_optional_ones_are_empty() -> None:
    known = declared(
        {"a": {"default": "x"}, "b": {"required": False}, "c": {"type": "list", "required": False}, "d": {}}
    )
    assert bind(known, {}, allow_partial=True) == {"a": "x", "b": "", "c": []}
    assert bind(known, {"a": "", "d": "y"}) == {"a": "", "b": "", "c": [], "d": "y"}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("number", 1.5, "1.5"),
        ("list", ["a", 2], "a, 2"),
        ("list", [], ""),
        ("json", {"é": [1]}, '{"é": [1]}'),
    ],
)
def test_values_have_a_text_in_simple_templates(kind: Any, value: Any, text: str) -> None:
    assert Variable("a", kind).text(value) == text
