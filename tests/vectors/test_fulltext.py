"""Words are found in English and in scripts without spaces, and queries carry no syntax."""

import sys
import unicodedata

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from vectors.fulltext import MAX_TERMS, index_text, is_mostly_cjk, match_expression, normalise, terms


def test_of_every_combining_character_a_run_is_cut():
    combining = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.combining(chr(code))]

    for mark in combining:
        assert len(normalise(f"a{mark * 40}b")) <= len(normalise(f"a{mark * 30}b"))


def test_it_indexes_runs_as_bigrams_with_the_last_character_alone():
    assert index_text("東京都へGo！").split() == ["東京", "京都", "都へ", "へ", "go!"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢＣ", ["abc"]),
        ("ｶﾞｲﾄﾞ", ["ガイ", "イド"]),
        ("サーバー", ["サー", "ーバ", "バー"]),
        ("한국어", ["한국", "국어"]),
        ("人々", ["人々"]),
        ("犬", ["犬"]),
        ("snake_case GPT4を", ["snake", "case", "gpt4", "を"]),
        ("dog Dog DOG", ["dog"]),
        ("?! …", []),
        ("𠮷野家", ["𠮷野", "野家"]),
    ],
)
def test_it_cuts_queries_into_terms(text, expected):
    assert terms(text) == expected


def test_a_single_character_is_searched_as_a_prefix():
    assert match_expression("犬 cat") == '"犬"* OR "cat"'


def test_it_keeps_a_pasted_document_affordable():
    assert len(terms(" ".join(f"word{n}" for n in range(10_000)))) == MAX_TERMS


@pytest.mark.parametrize(
    ("text", "expected"),
    [("東京の天気", True), ("weather in 東京", False), ("GPT の使い方を教えて", True), ("?!", False)],
)
def test_it_tells_mostly_cjk_queries(text, expected):
    assert is_mostly_cjk(text) is expected


@pytest.fixture
def fts(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIRTUAL TABLE probe USING fts5(body, content='', contentless_delete=1, "
            "tokenize='porter unicode61 remove_diacritics 2')"
        )

        def found(text: str, query: str) -> bool:
            cursor.execute("DELETE FROM probe WHERE 1")
            cursor.execute("INSERT INTO probe (rowid, body) VALUES (1, %s)", [index_text(text)])
            cursor.execute("SELECT rowid FROM probe WHERE probe MATCH %s", [match_expression(query)])
            return bool(cursor.fetchall())

        yield found


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("吾輩は猫である", "猫"),
        ("吾輩は猫である", "吾輩"),
        ("吾輩は猫", "猫"),
        ("東京都の天気", "京都"),
        ("新しいｻｰﾊﾞｰ", "サーバー"),
        ("Running dogs", "run"),
        ("Café", "cafe"),
        ("STRASSE", "straße"),
        ("한국어를 배우다", "한국어"),
        ("ＧＰＴを使う", "gpt"),
    ],
)
def test_it_finds(fts, text, query):
    assert fts(text, query)


@pytest.mark.parametrize(("text", "query"), [("吾輩は猫である", "犬"), ("東京", "京"), ("cat", "dog")])
def test_it_does_not_find_what_is_not_there(fts, text, query):
    assert fts(text, query) == (query == "京")  # each character of a run begins a token


def test_any_text_makes_a_valid_expression(fts):
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
    def check(query):
        if match_expression(query):
            fts("anything", query)

    check()


@pytest.mark.parametrize("query", ['"', 'a" OR "b', "body: x", "NEAR(a b)", "a*", "^a", "-a", "NOT", "a AND"])
def test_fts5_syntax_is_only_text(fts, query):
    if match_expression(query):
        fts("x", query)


def test_a_long_run_of_accents_is_cut_before_it_costs_minutes() -> None:
    # Sorting one takes time that grows with its square: 80,000 took five seconds.
    attack = "a" + "\u0300\u0316" * 500_000
    assert len(normalise(attack)) < 64
    assert normalise("e\u0301te\u0301") == "été"
