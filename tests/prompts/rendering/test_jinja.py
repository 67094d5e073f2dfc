"""Jinja2 templates as honest people write them."""

from typing import Any

import pytest

from prompts.rendering import jinja
from prompts.rendering.errors import RenderingFailed, TemplateProblem, TemplateSyntaxProblem


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is slow; a busy machine may be."""
    monkeypatch.setattr(jinja, "DEADLINE", 1.5)


def render(template: str, variables: dict[str, Any] | None = None, **options: Any) -> str:
    (text,) = jinja.render([template], variables or {}, **options)
    return text


RENDERED: list[tuple[str, dict[str, Any], str]] = [
    ("Dear {{ name }},\r\n\n", {"name": "葵"}, "Dear 葵,\n\n"),
    (
        "{% for x in xs if x != 'b' %}{{ loop.index }}:{{ x }} {% endfor %}",
        {"xs": ["a", "b", "c"]},
        "1:a 2:c ",
    ),
    ("{{ user.name }}{{ user['tags'][0] }}", {"user": {"name": "Aoi", "tags": ["x"]}}, "Aoix"),
    ("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", {"d": {"b": 1, "a": 2}}, "b=1;a=2;"),
    ("{{ d.update }}{{ d.clear }}", {"d": {"update": "u", "clear": "c"}}, "uc"),
    ("{{ x.upper() }} {{ x|title }} {{ '{:.2f}'.format(n) }}", {"x": "ab", "n": 1.5}, "AB Ab 1.50"),
    ("{% macro m(a, b='z') %}{{ a }}{{ b }}{% endmacro %}{{ m('y') }}", {}, "yz"),
    (
        "{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
        {},
        "6",
    ),
    (
        "{% for g in xs|groupby('k') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}",
        {"xs": [{"k": 1}, {"k": 1}]},
        "12",
    ),
    (
        "{% for x in t recursive %}{{ x.n }}{{ loop(x.t) }}{% endfor %}",
        {"t": [{"n": 1, "t": [{"n": 2, "t": []}]}]},
        "12",
    ),
    ("{{ " + "(" * 50 + "x" + ")" * 50 + " }}", {"x": "deep"}, "deep"),
    ("{% if x %}" * 50 + "deep" + "{% endif %}" * 50 + "{% if x %}{% endif %}" * 60, {"x": 1}, "deep"),
    ("{% raw %}{{ x }}{% endraw %}{# gone #}", {}, "{{ x }}"),
    (
        "{{ x|tojson }} {{ x|tojson(indent=1) }}",
        {"x": {"<é>": [None, True]}},
        '{"<é>": [null, true]} {\n "<é>": [\n  null,\n  true\n ]\n}',
    ),
    ("{{ '<' ~ x }}{{ x|e + '<' }}{{ x|safe + '<' }}", {"x": "&"}, "<&&amp;<&<"),
    (
        "{{ xs|map('upper') }} {{ xs|reverse }} {{ xs|select('eq', 'a') }}",
        {"xs": ["a", "b"]},
        "['A', 'B'] ['b', 'a'] ['a']",
    ),
    ("{{ x|d('none') }}{{ y is defined }}{{ 'a' if z is defined else 'b' }}", {}, "noneFalseb"),
    ("{{ 2 ** 10 }} {{ 3 * 'ab' }} {{ [1] * 2 }} {{ 7 // 2 }} {{ 6 * 7 }}", {}, "1024 ababab [1, 1] 3 42"),
    (
        "{{ x.upper }} {{ range }} {{ [x.upper] }}",
        {"x": "a"},
        "<function upper> <function range> [<function upper>]",
    ),
    ("{{ n }} {{ f }} {{ b }} {{ o }}", {"n": 1, "f": 0.5, "b": True, "o": None}, "1 0.5 True None"),
    ("\u202e{{ x }}\u2066", {"x": "\u202d"}, "\u202e\u202d\u2066"),
]


@pytest.mark.parametrize(("template", "variables", "text"), RENDERED)
def test_it_renders(template: str, variables: dict[str, Any], text: str) -> None:
    assert render(template, variables) == text


@pytest.mark.parametrize(
    "value", ["{{ name }}", "{% for x in y %}", "{{ 7 * 7 }}", "{#", "}}", "{{ ''.__class__ }}"]
)
def test_values_are_never_templates(value: str) -> None:
    assert render("{{ a }}|{{ b[0] }}", {"a": value, "b": [value]}) == f"{value}|{value}"


def test_the_messages_of_a_prompt_are_rendered_together() -> None:
    assert jinja.render(["{{ a }}", "", "{{ b }}"], {"a": "1", "b": "2"}) == ["1", "", "2"]
    assert jinja.render([], {}) == []


def test_templates_do_not_see_what_others_set() -> None:
    with pytest.raises(RenderingFailed, match="'a' is undefined"):
        jinja.render(["{% set a = 1 %}{{ a }}", "{{ a }}"], {})


NAMES: list[tuple[list[str], list[str]]] = [
    (["{{ z }}{{ a }}{{ z }}"], ["z", "a"]),
    (["{{ b }}", "{{ a }}{{ b }}"], ["b", "a"]),
    (["{{ a if b else c }}"], ["a", "b", "c"]),
    (["{% for x in xs if x > y %}{{ x }}{{ z }}{% endfor %}"], ["xs", "y", "z"]),
    (["{% filter replace(a, b) %}{{ c }}{% endfilter %}"], ["a", "b", "c"]),
    (["{% set a = b %}{{ a }}{% set ns = namespace() %}{% set ns.x = c %}"], ["b", "c"]),
    (["{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(range(c)) }}{{ dict(d=e) }}"], ["b", "c", "e"]),
    (["{{ loop.x }}{% for a in [] %}{{ loop.index }}{% endfor %}"], ["loop"]),
    (["{{ x.name[key] }}{{ 名前 }}"], ["x", "key", "名前"]),
    (
        ["{{ a|d(b) }}{% if c is defined %}{% elif d %}{% else %}{{ e }}{% endif %}"],
        ["a", "b", "c", "d", "e"],
    ),
    (["no names"], []),
    ([], []),
]


@pytest.mark.parametrize(("templates", "names"), NAMES)
def test_names_come_in_the_order_of_the_text(templates: list[str], names: list[str]) -> None:
    assert jinja.analyse(templates) == names


SYNTAX: list[tuple[str, str]] = [
    ("a\n{{ b", "on line 2: unexpected end of template"),
    ("a\n\n{% if x %}", "on line 3: Unexpected end of template"),
    ("{% nope %}", "on line 1: Encountered unknown tag 'nope'"),
    ("\n{% include 'a' %}", "on line 2: there is no 'include' here"),
    ("{% import 'a' as b %}", "there is no 'import' here"),
    ("{% from 'a' import b %}", "there is no 'from … import' here"),
    ("{% extends x %}", "there is no 'extends' here"),
    ("{% block a %}{% endblock %}", "there is no 'block' here"),
    ("{% autoescape true %}{% endautoescape %}", "there is no 'autoescape' here"),
    ("\n\n{% if false %}{{ x|nope }}{% endif %}", "on line 3: there is no filter 'nope' here"),
    ("{% if false %}{{ x is nope }}{% endif %}", "there is no test 'nope' here"),
    ("\n{{ " + "(" * 51, "on line 2: blocks and brackets more than 50 levels deep"),
    ("\n" + "{% if a %}\n" * 51, "on line 52: blocks and brackets more than 50 levels deep"),
    ("{% macro m(a, a) %}{% endmacro %}", "or one name given twice"),
    ("{{ " + "9" * 5_000 + " }}", "something that Jinja2 cannot read"),
]


@pytest.mark.parametrize(("template", "message"), SYNTAX)
def test_a_template_that_cannot_be_read_is_told_with_its_line(template: str, message: str) -> None:
    for ask in (jinja.analyse, lambda templates: jinja.render(templates, {})):
        with pytest.raises(TemplateSyntaxProblem) as caught:
            ask(["fine", template])
        assert message in caught.value.got
        assert str(caught.value).startswith("content: expected a Jinja2 template, got an error")


FAILURES: list[tuple[str, str]] = [
    ("a\n{{ b }}", "on line 2: 'b' is undefined"),
    ("\n{{ o.b }}", "on line 2: there is no 'b' in an object"),
    ("{{ xs[5] }}", "there is no 5 in a list"),
    ("{{ 'x'.nope }}", "there is no 'nope' in a text"),
    ("{{ 1 / 0 }}", "on line 1: a division by zero"),
    ("{{ 'a' + 1 }}", "on line 1: a value that does not fit there"),
    ("{{ 2.0 ** 5000 }}", "a number that is too large"),
    ("{{ 'a'() }}", "a value that does not fit there"),
    ("{{ xs|map('nope') }}", "No filter named 'nope'"),
    ("{% macro m() %}\n{{ b }}\n{% endmacro %}\n\n{{ m() }}", "on line 2: 'b' is undefined"),
    ("{{ b|tojson }}", "'b' is undefined"),
    ("{{ [b] }}", "'b' is undefined"),
    ("{{ [o]|map(attribute='b') }}", "there is no 'b' in an object"),
]


@pytest.mark.parametrize(("template", "message"), FAILURES)
def test_a_failure_is_told_with_its_line_and_without_python(template: str, message: str) -> None:
    with pytest.raises(RenderingFailed) as caught:
        render(template, {"o": {}, "xs": [1]})
    assert message in caught.value.got
    assert not any(word in str(caught.value) for word in ("Error", "object has", "jinja2.", "/", "<class"))


def test_the_field_of_a_template_is_the_callers() -> None:
    with pytest.raises(RenderingFailed) as failed:
        jinja.render(["a", "{{ b }}"], {}, fields=["content[0]", "content[1]"])
    with pytest.raises(TemplateSyntaxProblem) as unread:
        jinja.analyse(["{{", "{{"], ["content[0]", "content[1]"])
    assert (failed.value.field, unread.value.field) == ("content[1]", "content[0]")
    with pytest.raises(ValueError, match="a field for each of 2 templates, got 1"):
        jinja.analyse(["a", "b"], ["content"])


PARTIAL: list[tuple[str, str]] = [
    ("{{ a }} {{ given }}", "{{ a }} 1"),
    ("{{ a.b.c }} {{ a['x y'][0] }}", "{{ a.b.c }} {{ a['x y'][0] }}"),
    (
        "{{ a|upper }} {{ a|join(',') }} {{ a|length }} {{ a|map('upper') }} {{ a|tojson }}",
        " ".join(["{{ a }}"] * 5),
    ),
    ("{{ a + 1 }} {{ 2 * a }} {{ -a }} {{ a() }} {{ a % 2 }} {{ a ** 2 }}", " ".join(["{{ a }}"] * 6)),
    ("{{ a ~ '!' }} {{ [a, 1]|join('+') }} {{ ['x', a]|map('upper')|join }}", "{{ a }}! {{ a }}+1 X{{ a }}"),
    ("{% for x in a %}{{ x }}{% else %}none{% endfor %}{% for i in range(a) %}{{ i }}{% endfor %}", "none"),
    ("{% if a > 1 %}more{% elif a %}some{% else %}less{% endif %}", "less"),
    ("{{ a|d('x') }} {{ a|default('y') }} {{ a is defined }} {{ 'z' in a }}", "x y False False"),
]


@pytest.mark.parametrize(("template", "text"), PARTIAL)
def test_names_without_a_value_may_stay(template: str, text: str) -> None:
    assert render(template, {"given": 1}, allow_partial=True) == text


def test_a_member_that_a_value_lacks_never_stays() -> None:
    with pytest.raises(RenderingFailed, match="there is no 'name' in an object"):
        render("{{ user.name }}", {"user": {}}, allow_partial=True)


def test_what_was_rendered_partially_is_strict_the_next_time() -> None:
    assert render("{{ a }}", allow_partial=True) == "{{ a }}"
    with pytest.raises(RenderingFailed):
        render("{{ a }}")


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"a": nested(16)}, "at most 16 levels, got a deeper one"),
        ({"a": nested(100_000)}, "at most 16 levels, got a deeper one"),
        ({"a": float("nan")}, "JSON values with finite numbers"),
        ({"a": object()}, "JSON values with finite numbers"),
        ({"a": 10**5_000}, "JSON values with finite numbers"),
        ({"a": "x" * 4_000_001}, "at most 4,000,000 bytes, got 4,000,010"),
    ],
)
def test_values_have_bounds(variables: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateProblem, match=message) as caught:
        render("{{ a }}", variables)
    assert caught.value.field == "variables"
    assert render("{{ a }}", {"a": nested(15)}) == str(nested(15))


def test_a_large_honest_prompt_is_rendered() -> None:
    text = "名前は何ですか。" * 20_000
    assert render(text + "{{ a }}", {"a": text * 5}) == text * 6


@pytest.mark.parametrize(
    ("templates", "got"),
    [
        (["x" * 200_001], "at most 200,000 characters, got 200,001"),
        (["x" * 150_000] * 2, "at most 200,000 characters in all templates, got 300,000"),
        (["a\0"], "got NUL at character 1"),
        (["\ud800"], "got the lone surrogate U\\+D800 at character 0"),
        (["{{" * 500_000], "at most 200,000 characters, got 1,000,000"),
    ],
)
def test_templates_have_bounds(templates: list[str], got: str) -> None:
    for ask in (jinja.analyse, lambda them: jinja.render(them, {})):
        with pytest.raises(TemplateProblem, match=got):
            ask(templates)


@pytest.mark.parametrize(
    ("template", "what"), [(r"{{ '\ud800' }}", r"U\+D800"), (r"{{ 'ab\0' }}", "NUL at character 2")]
)
def test_no_text_comes_out_that_cannot_be_stored(template: str, what: str) -> None:
    with pytest.raises(TemplateProblem, match=what):
        render(template)


def test_the_output_has_a_bound_over_all_templates() -> None:
    half = "{% for i in range(50000) %}0123456789{% endfor %}"
    assert [len(text) for text in jinja.render([half, half], {})] == [500_000, 500_000]
    with pytest.raises(RenderingFailed, match="more than 1,000,000 characters") as caught:
        jinja.render([half, half, "x"], {}, fields=["a", "b", "c"])
    assert caught.value.field == "c"
