"""Jinja2 templates of people who want to get out, or to bring down: with the deadline as it is."""

import time

import pytest

from prompts.rendering import jinja
from prompts.rendering.errors import RenderingFailed, RenderingTooSlow, TemplateProblem, TemplateSyntaxProblem

VARIABLES = {"x": "text", "xs": [1, 2], "d": {"a": 1}}

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ x['__class__'] }}",
    "{{ x|attr('__class__') }}",
    "{{ xs|map(attribute='__class__')|list }}",
    "{{ xs|map('attr', '__class__')|list }}",
    "{{ [x]|selectattr('__class__')|list }}",
    "{{ [x]|groupby('__class__') }}",
    "{{ [x]|sum(attribute='__class__') }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{x.__class__.__mro__}'.format_map({'x': x}) }}",
    "{{ ('{0.__class__}'|e).format(x) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(x) }}",
    "{{ ['{0.__class__}']|map('format', x)|list and ''.format.__self__ }}",
    "{{ x.upper._function }}",
    "{{ x.upper.__self__ }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace()['_Namespace__attrs'] }}",
    "{{ lipsum.__globals__ }}",
    "{{ request.application }}",
    "{{ _function }}",
    "{{ __builtins__ }}",
    "{{ range.__call__ }}",
    "{{ range._function }}",
    "{{ dict.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ dict.update(d, a=2) }}",
    "{{ dict.fromkeys }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}",
    "{% for i in xs %}{{ loop._iterator }}{% endfor %}",
    "{% for i in xs %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{{ xs.append(3) }}",
    "{{ d.update(b=2) }}",
    "{{ d.pop('a') }}",
    "{{ x.encode() }}",
    "{{ x.ljust(10) }}",
    "{{ x.translate }}",
    "{% do xs.append(3) %}",
    "{% debug %}",
    "{% set x.y = 1 %}",
    "{{ xs|random }}",
    "{{ x|pprint }}",
    "{{ x|xmlattr }}",
    "{{ u.__class__ }}",
]

SLOW = [
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{{ 1|round(10**9, 'ceil') }}",
    "{% for a in range(100000) %}{% for b in range(100000) if false %}{% endfor %}{% endfor %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{{ a }}" * 28_000,
]

LARGE = [
    ("{{ 'a' * 10**9 }}", "repeated too often"),
    ("{{ 10**9 * 'a' }}", "repeated too often"),
    ("{{ [0] * 10**9 }}", "repeated too often"),
    ("{{ 10**(10**9) }}", "a number that is too large"),
    ("{{ 10**(10**(10**8)) }}", "a number that is too large"),
    (
        "{% set ns = namespace(n=3) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "too large",
    ),
    ("{{ range(10**9) }}", "a range of more than 100,000 numbers"),
    ("{{ range(10**30) }}", "a range of more than 100,000 numbers"),
    ("{{ x|center(10**9) }}", "more memory than a template may use"),
    ("{{ '%1000000000d' % 1 }}", "more memory than a template may use"),
    ("{{ '%1000000000d'|format(1) }}", "more memory than a template may use"),
    ("{{ '{:1000000000}'.format(1) }}", "more memory than a template may use"),
    ("{{ 'a\nb'|indent(10**9) }}", "more memory than a template may use"),
    ("{{ d|tojson(indent=10**9) }}", "more memory than a template may use"),
    ("{% set ns = namespace(s=x) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", ""),
    ("{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", ""),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls within calls that do not end"),
    (
        "{% macro m() %}{{ caller() }}{% call m() %}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}",
        "calls within",
    ),
    ("{% for a in [xs] recursive %}{{ loop([xs]) }}{% endfor %}", "calls within calls that do not end"),
    (
        "{% set n = namespace(l=1) %}{% for i in range(999) %}{% set n.l = [[n.l]] %}{% endfor %}{{ n.l }}",
        "",
    ),
    ("{% for i in range(100000) %}{{ 'a' * 100000 }}{% endfor %}", "more than 1,000,000 characters"),
    ("{{ x|replace('', 'a' * 900000) }}{{ x * 9 }}", "more than 1,000,000 characters"),
]

DEEP = [
    "{{ " + "(" * 10_000 + ")" * 10_000 + " }}",
    "{{ " + "[" * 10_000 + "]" * 10_000 + " }}",
    "{{ " + "{1:" * 10_000 + "1" + "}" * 10_000 + " }}",
    "{% if a %}" * 9_000 + "{% endif %}" * 9_000,
    "{% for i in xs %}" * 21 + "{% endfor %}" * 21,
    "{% filter upper %}" * 10_000,
    "{% set a %}" * 10_000,
    "{{ " + "not " * 10_000 + "x }}",
    "{{ " + "-" * 100_000 + "1 }}",
    "{{ " + "x if x else " * 10_000 + "x }}",
    "{{ x" + "+x" * 50_000 + " }}",
    "{{ x" + "|upper" * 5_000 + " }}",
    "{{ x" + ".y" * 50_000 + " }}",
    "{{ x" + "()" * 50_000 + " }}",
    "{{" * 100_000,
    "{%" * 100_000,
    "{% raw %}" * 20_000,
    "{#" * 100_000,
    "{# unclosed",
    "{{ '" + "a" * 190_000,
    "{% " + " " * 190_000,
    "{{ " + "1" * 190_000 + " }}",
    "{{ \0 }}",
]


@pytest.fixture(autouse=True)
def _honest_people_are_served() -> None:
    """Before, so that no start of a process is in what is measured."""
    assert_served()


def assert_served() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jinja, "DEADLINE", 1.5)  # a busy machine is no hostile template
        texts = jinja.render(["{{ x }}", "{% for i in xs %}{{ i }}{% endfor %}"], VARIABLES)
        assert texts == ["text", "12"]
        assert jinja.analyse(["{{ b }}{{ a }}"]) == ["b", "a"]


@pytest.mark.parametrize("template", ESCAPES)
def test_nothing_leads_out(template: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        jinja.render([template], VARIABLES)
    assert not isinstance(caught.value, RenderingTooSlow)
    assert "broke the process" not in caught.value.got
    assert_served()


@pytest.mark.parametrize("template", ESCAPES)
def test_nothing_leads_out_of_partial_rendering(template: str) -> None:
    """Names that there are not stay there, with whatever is asked of them."""
    try:
        (text,) = jinja.render([template], VARIABLES, allow_partial=True)
    except TemplateProblem as problem:
        got = problem.got
    else:
        got = text
        assert text.startswith("{{ ")
        assert text.endswith(" }}")
    assert "broke the process" not in got
    assert_served()


@pytest.mark.parametrize("template", SLOW)
def test_a_slow_template_is_given_up(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(RenderingTooSlow, match="ready within 250 ms"):
        jinja.render([template], {"a": "x"})
    assert time.monotonic() - began < 1.0
    assert_served()


@pytest.mark.parametrize(("template", "message"), LARGE)
def test_a_large_template_fails(template: str, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(RenderingFailed) as caught:
        jinja.render([template], VARIABLES)
    assert time.monotonic() - began < 1.0
    assert message in caught.value.got
    assert "broke the process" not in caught.value.got
    assert_served()


@pytest.mark.parametrize("template", DEEP)
def test_a_deep_or_torn_template_is_not_read(template: str) -> None:
    for ask in (jinja.analyse, lambda templates: jinja.render(templates, VARIABLES)):
        began = time.monotonic()
        with pytest.raises(TemplateProblem) as caught:
            ask([template])
        assert time.monotonic() - began < 1.0
        assert "broke the process" not in caught.value.got
        assert isinstance(caught.value, TemplateSyntaxProblem | RenderingTooSlow) or "\0" in template
        assert_served()


@pytest.mark.parametrize("template", ["{{ %s }}", "{%% if %s %%}{%% endif %%}", "{%% set a = %s %%}"])
def test_analysing_computes_nothing(template: str) -> None:
    endless = "1|round(1000000000, 'ceil')"
    assert jinja.analyse([template % endless, "{{ x }}"]) == ["x"]


def test_values_stay_as_they_are_for_the_next_request() -> None:
    values = {"xs": [1], "d": {"a": 1}}
    with pytest.raises(RenderingFailed):
        jinja.render(["{{ xs.append(2) }}"], values)
    assert jinja.render(["{{ xs }}{{ d }}"], values) == ["[1]{'a': 1}"]
