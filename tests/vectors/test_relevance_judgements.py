"""Judgements: what is kept, who wins, and what they are as queries."""

import pytest
from django.db import IntegrityError, transaction

from vectors import store
from vectors.evaluation import Judged
from vectors.relevance.errors import InvalidJudgement
from vectors.relevance.judging import judge, judged_queries, judgements_of, missing_keys, take_back
from vectors.relevance.models import EvaluationRun, Judgement, Language, hash_query

pytestmark = pytest.mark.django_db


def test_the_last_word_counts(fill):
    notes = fill("a red fox")
    first = judge(notes, " red fox ", "k0", 1, by="aoi")
    again = judge(notes, "red fox", "k0", 3, source="api", by="ben")
    assert first.pk == again.pk
    stored = Judgement.objects.get()
    assert (stored.query, stored.key, stored.grade) == ("red fox", "k0", 3)
    assert (stored.source, stored.created_by, stored.language) == ("api", "ben", "en")
    assert stored.created_at >= first.created_at
    assert str(stored) == "red fox → k0: 3"


def test_one_takes_back_what_one_judged_and_nothing_else(fill):
    notes, others = fill("a red fox"), fill("a red fox", name="others")
    judge(notes, "red fox", "k0", 1, by="aoi")
    judge(notes, "red fox", "k1", 0, by="ben")
    judge(others, "red fox", "k0", 3, by="aoi")

    there = judgements_of(notes, " red fox ", ["k0", "k1", "k2"])

    assert {key: (one.grade, one.created_by) for key, one in there.items()} == {
        "k0": (1, "aoi"),
        "k1": (0, "ben"),
    }
    assert not take_back(notes, "red fox", "k1", by="aoi")
    assert not take_back(notes, "red", "k0", by="aoi")
    assert take_back(notes, "red fox ", "k0", by="aoi")
    assert not take_back(notes, "red fox", "k0", by="aoi")
    assert set(Judgement.objects.values_list("key", "created_by")) == {("k1", "ben"), ("k0", "aoi")}


@pytest.mark.parametrize(
    ("query", "language"),
    [("red fox", "en"), ("renard", "en"), ("東京の天気", "ja"), ("API の使い方を教えて", "ja"), ("?!", "")],
)
def test_it_knows_the_language_of_a_query(query, language):
    assert Language.of(query) == language


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"query": " "}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": "\ud800"}, "query"),
        ({"query": None}, "query"),
        ({"key": ""}, "key"),
        ({"key": "x" * 513}, "key"),
        ({"grade": -1}, "grade"),
        ({"grade": 31}, "grade"),
        ({"grade": True}, "grade"),
        ({"grade": 1.0}, "grade"),
        ({"grade": float("nan")}, "grade"),
        ({"source": "guess"}, "source"),
        ({"by": "x" * 255}, "by"),
    ],
)
def test_it_names_what_is_wrong(fill, wrong, field):
    given = {"query": "fox", "key": "k0", "grade": 1} | wrong
    with pytest.raises(InvalidJudgement) as caught:
        judge(fill("x"), given.pop("query"), given.pop("key"), given.pop("grade"), **given)
    assert caught.value.field == field
    assert not Judgement.objects.exists()


def test_the_database_holds_to_it_too(fill):
    notes = fill("x")
    row = {"collection": notes, "query": "q", "query_hash": hash_query("q"), "key": "k", "source": "api"}
    for wrong in ({"grade": 31}, {"grade": 1, "source": "guess"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Judgement.objects.create(**(row | wrong))
    Judgement.objects.create(**row, grade=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Judgement.objects.create(**row, grade=2)


def test_queries_have_all_their_grades_and_something_relevant(fill):
    notes, other = fill("x"), fill("y", name="other")
    for query, key, grade in [("a", "k0", 2), ("a", "k1", 0), ("b", "k0", 0), ("c", "k9", 1)]:
        judge(notes, query, key, grade)
    judge(other, "a", "k2", 1)
    found = {one.query: one.relevant for one in judged_queries(notes)}
    assert found == {"a": {"k0": 2, "k1": 0}, "c": {"k9": 1}}
    assert judged_queries(other) == [Judged("a", {"k2": 1})]
    assert missing_keys(notes, ["k0", "k9"]) == {"k9"}


def test_more_queries_than_one_measurement_takes_are_sampled(fill, monkeypatch):
    monkeypatch.setattr("vectors.relevance.judging.MAX_QUERIES", 3)
    notes = fill("x")
    for number in range(9):
        judge(notes, f"query {number}", "k0", 1)
    first = judged_queries(notes)
    assert len(first) == 3
    assert first == judged_queries(notes)
    assert [hash_query(one.query) for one in first] == sorted(hash_query(one.query) for one in first)


def test_they_go_with_their_collection(fill):
    notes = fill("x")
    judge(notes, "x", "k0", 1)
    EvaluationRun.objects.create(collection=notes, mode="hybrid", source="judgements", n=1)
    store.delete_collection("notes")
    assert not Judgement.objects.exists()
    assert not EvaluationRun.objects.exists()
