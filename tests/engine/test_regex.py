r"""Translated patterns against :mod:`re`: whatever is accepted matches exactly the same texts.

Patterns are generated from the constructs that the translation knows, texts from the same few
characters, so that matches are as common as misses.
"""

import re
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DataError, NotSupportedError, connections
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from afn_project.libsql import dbapi
from afn_project.libsql.regex import translate

# Letters with odd cases, digits and spaces of other scripts, and what means something in a pattern; no
# capitals beyond U+FFFF, which re itself misses inside a class when it ignores case.
CHARACTERS = (
    "abkisABKIS_09éÉßẞſKİıµμςσΣᾳᾼ日本語ーあ٣٤😀😁 \t\n\r\x0b\x1c\x85\u2028\u3000.*+?^$|()[]{}\\-&~#,:<'\"%/"
)
COUNTS = ["*", "+", "?", "{0}", "{1}", "{2}", "{0,1}", "{0,2}", "{1,2}", "{1,3}", "{2,}", "{,2}"]

texts = st.text(st.sampled_from(CHARACTERS), max_size=8)
literals = st.sampled_from(CHARACTERS).map(re.escape)
categories = st.sampled_from([r"\d", r"\D", r"\s", r"\S", r"\w", r"\W"])
ranges = st.tuples(st.sampled_from(CHARACTERS), st.sampled_from(CHARACTERS)).map(
    lambda ends: "-".join(re.escape(end) for end in sorted(ends))
)
members = st.lists(st.one_of(literals, categories, ranges), min_size=1, max_size=3).map("".join)
classes = st.tuples(st.sampled_from(["", "^"]), members).map(lambda parts: f"[{parts[0]}{parts[1]}]")
anchors = st.sampled_from(["^", "$", r"\A", r"\Z"])
atoms = st.one_of(literals, literals, st.just("."), categories, classes, anchors)


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # Without (?a:…), for which re.search itself errs: it looks for a first character by the outer flags.
    opening = st.sampled_from(["(", "(?:", "(?P<name>", "(?i:", "(?s:", "(?-i:"])
    sequence = st.lists(inner, max_size=4).map("".join)
    return st.one_of(
        sequence,
        st.lists(inner, min_size=2, max_size=3).map(lambda branches: f"(?:{'|'.join(branches)})"),
        st.tuples(opening, sequence).map(lambda parts: f"{parts[0]}{parts[1]})"),
        st.tuples(inner, st.sampled_from(COUNTS), st.sampled_from(["", "?"])).map(
            lambda parts: f"(?:{parts[0]}){parts[1]}{parts[2]}"
        ),
    )


patterns = st.recursive(atoms, _extend, max_leaves=8)


def matches(connection: dbapi.Connection, text: str, pattern: str) -> bool:
    row = connection.execute("SELECT ? REGEXP ?", [text, pattern]).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.fixture(scope="module")
def libsql() -> Any:
    connection = dbapi.connect(":memory:")
    yield connection
    connection.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pattern=patterns, candidates=st.lists(texts, min_size=1, max_size=6), ignore_case=st.booleans())
@example(pattern="a$\n", candidates=["a\n", "a"], ignore_case=False)
@example(pattern="a$$", candidates=["a", "a\n"], ignore_case=False)
@example(pattern="a$b?", candidates=["a"], ignore_case=False)
@example(pattern="(a$|b)c?", candidates=["a", "b", "bc"], ignore_case=False)
@example(pattern="(?:a?$){2}", candidates=["a"], ignore_case=False)
@example(pattern="\\x00", candidates=["a"], ignore_case=False)
@example(pattern="a|\\x00", candidates=[""], ignore_case=False)
@example(pattern="[^\\w\\W]", candidates=["a"], ignore_case=False)
@example(pattern="ß", candidates=["ẞ"], ignore_case=True)
@example(pattern="İ", candidates=["i", "I", "ı"], ignore_case=True)
@example(pattern="[a-z]", candidates=["İ", "ſ", "K"], ignore_case=True)
def test_a_translated_pattern_matches_what_python_matches(
    libsql: dbapi.Connection, pattern: str, candidates: list[str], ignore_case: bool
) -> None:
    flags = re.IGNORECASE if ignore_case else 0
    try:
        compiled = re.compile(pattern, flags)
    except re.error:
        assume(False)
    try:
        translated = translate(pattern, ignore_case=ignore_case)
    except NotSupportedError:
        assume(False)  # refused is right, if never too much: see the tests below
    for text in candidates:
        assert matches(libsql, text, translated) is bool(compiled.search(text)), (text, translated)


@pytest.mark.parametrize("ignore_case", [False, True])
@pytest.mark.parametrize("character", [*map(chr, range(1, 128)), *"éßİıſKΣ日😀\u2028\uffff"])
def test_every_character_stands_for_itself(
    libsql: dbapi.Connection, character: str, ignore_case: bool
) -> None:
    pattern = translate(re.escape(character), ignore_case=ignore_case)
    assert matches(libsql, f"<{character}>", pattern)
    assert not matches(libsql, "☃", pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", ""),
        ("^$", "\n"),
        (r"\A\w+\Z", "日本語_é٣"),
        (r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", "someone@example.org"),
        (r"\d{4}-\d{2}-\d{2}", "on 2024-02-29."),
        ("^(production|staging)(-[a-z]+)?$", "staging-eu"),
        ("(?i)^prompt", "PROMPT 1"),
        ("(?x) a b # both", "ab"),
        (r"^(?a:\w+)é$", "aé"),
        ("a.c", "a😀c"),
        ("(?s)a.c", "a\nc"),
        ("a*?b+?c??", "aabb"),
        ("(?#comment)a", "a"),
        ("x{0}y", "y"),
        ("^a{999}$", "a" * 999),
        ("^a{2,1000}$", "a" * 1000),
        ("(?:^a|b$)", "b\n"),
        (r"^\w{40}$", "é" * 40),
    ],
)
def test_common_patterns_are_supported(libsql: dbapi.Connection, pattern: str, text: str) -> None:
    assert re.search(pattern, text)
    assert matches(libsql, text, translate(pattern))


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("a(?=b)", "lookahead"),
        ("a(?!b)", "lookahead"),
        ("(?<=a)b", "lookbehind"),
        ("(?<!a)b", "lookbehind"),
        (r"(a)\1", "back references"),
        (r"(?i:(a)\1)", "back references"),
        ("(?P<x>a)(?P=x)", "back references"),
        ("(a)?(?(1)b|c)", "conditional"),
        ("(?>a+)b", "atomic"),
        ("a++b", "possessive"),
        (r"\bword", "word boundaries"),
        (r"wor\Bd", "word boundaries"),
        ("(?m)^a", "line anchors"),
        ("(?m)a$", "line anchors"),
        ("a$b", "end of text"),
        ("a$\n", "end of text"),
        ("(a$|b)c", "end of text"),
        (r"(?:a\Z)+", "end of text"),
    ],
)
def test_it_refuses_what_libsql_cannot_match(pattern: str, what: str) -> None:
    with pytest.raises(NotSupportedError, match=what) as caught:
        translate(pattern)
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^\w{50}$", "é" * 50),  # 1,500 steps for each \w
        (r"^\w{999}$", "é" * 999),
        ("^(?:a{300}){300}$", "a" * 90_000),
    ],
    ids=["50 classes", "999 classes", "nested"],
)
def test_it_refuses_a_pattern_too_long_for_libsqls_program(
    libsql: dbapi.Connection, pattern: str, text: str
) -> None:
    # Steps are numbered with 16 bits; beyond them libSQL matches something else, without an error.
    with pytest.raises(NotSupportedError, match="steps"):
        matches(libsql, text, translate(pattern))


@pytest.mark.parametrize(
    "pattern", ["(", "a)", "[a", "a**", "a{3,2}", "(?P<1>a)", "\\", "*", "(?z)", "b(?i)", "[z-a]"]
)
def test_a_malformed_pattern_is_a_data_error_in_pythons_words(pattern: str) -> None:
    with pytest.raises(re.error) as told:
        re.compile(pattern)
    with pytest.raises(DataError, match=re.escape(told.value.msg)) as caught:
        translate(pattern)
    assert isinstance(caught.value.__cause__, re.error)


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 5_000 + ")" * 5_000], ids=["repeat", "depth"])
def test_a_pattern_beyond_pythons_own_limits_is_a_data_error(pattern: str) -> None:
    with pytest.raises(DataError, match="regular expression"):
        translate(pattern)


def test_a_value_that_is_null_matches_nothing(libsql: dbapi.Connection) -> None:
    assert libsql.execute("SELECT NULL REGEXP ?", [translate("a")]).fetchone() == (None,)


@pytest.mark.parametrize(("lookup", "expected"), [("regex", []), ("iregex", ["contenttype"])])
def test_the_orm_translates_the_patterns_of_its_lookups(alias: str, lookup: str, expected: list[str]) -> None:
    with connections[alias].schema_editor() as editor:
        editor.create_model(ContentType)
    ContentType.objects.using(alias).create(app_label="contenttypes", model="contenttype")
    found = ContentType.objects.using(alias).filter(**{f"model__{lookup}": r"^CONTENT\w+$"})
    assert list(found.values_list("model", flat=True)) == expected
