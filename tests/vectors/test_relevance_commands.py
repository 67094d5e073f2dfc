"""The commands of judgements: files in and out, figures, weights."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from vectors import store
from vectors.embedders import get_embedder
from vectors.relevance.judging import judge
from vectors.relevance.models import EvaluationRun, Judgement
from vectors.store import Item

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, errors = io.StringIO(), io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


def as_json(*arguments):
    return json.loads(run(*arguments, "--json")[0])


@pytest.fixture
def notes(fill):
    return fill("a red fox", "a blue whale", "a grey wolf")


@pytest.fixture
def judged(notes):
    for query, key in [("red fox", "k0"), ("whale", "k1"), ("wolf", "k2"), ("grey", "k1")]:
        judge(notes, query, key, 1)
    return notes


def test_judgements_go_in_and_out(notes, tmp_path):
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "fox", "key": "k0", "grade": 2}\n{"query": "鯨", "relevant": {"k9": 1}}\n')
    assert as_json("import_judgements", "notes", path) == {
        "collection": "notes",
        "inserted": 2,
        "updated": 0,
        "unchanged": 0,
        "repeated": 0,
        "queries": 2,
        "missing_keys": 1,
    }
    out, errors = run("import_judgements", "notes", path)
    assert "2 queries; 0 judgements inserted, 0 updated, 2 unchanged" in out
    assert "1 of the judged keys have no item" in errors
    exported, _ = run("export_judgements", "notes")
    assert {json.loads(line)["query"] for line in exported.splitlines()} == {"fox", "鯨"}


def test_qrels_go_in_with_topics(notes, tmp_path):
    (tmp_path / "qrels").write_text("q1 0 k0 1\n")
    (tmp_path / "topics").write_text("q1\tfox\n")
    run("import_judgements", "notes", tmp_path / "qrels", "--topics", tmp_path / "topics")
    assert Judgement.objects.get().query == "fox"


@pytest.mark.parametrize("missing", ["qrels", "topics"])
def test_a_missing_file_is_an_error_of_one_line(notes, tmp_path, missing):
    for name in {"qrels", "topics"} - {missing}:
        (tmp_path / name).write_text("q1\tfox\n")
    with pytest.raises(CommandError, match="No such file"):
        run("import_judgements", "notes", tmp_path / "qrels", "--topics", tmp_path / "topics")


def test_a_bad_line_is_named(notes, tmp_path):
    path = tmp_path / "judged.jsonl"
    path.write_text('\n{"query": "fox", "key": "k0", "grade": -2}\n')
    with pytest.raises(CommandError, match="line 2, grade: expected an integer from 0 to 30, got -2"):
        run("import_judgements", "notes", path)


def test_it_shows_how_far_it_is(notes, tmp_path, capsys):
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "fox", "key": "k0", "grade": 2}\n')
    run("import_judgements", "notes", path)
    assert "Importing into notes: 1/1" in capsys.readouterr().err


def test_every_mode_is_measured_and_kept(judged):
    first = as_json("evaluate_search", "notes")
    assert [one["mode"] for one in first["runs"]] == ["hybrid", "semantic", "keyword"]
    assert (first["source"], first["n"], first["missing_keys"]) == ("judgements", 4, 0)
    assert first["runs"][0]["metrics"].keys() == {"ndcg@10", "mrr@10", "recall@10"}
    assert first["runs"][0]["compared"] is None
    assert EvaluationRun.objects.count() == 3
    again = as_json("evaluate_search", "notes", "--mode", "hybrid", "--no-store", "-k", "10")
    assert again["runs"][0]["run"] is None
    compared = again["runs"][0]["compared"]
    assert (compared["run"], compared["paired"]) == (first["runs"][0]["run"], 4)
    assert EvaluationRun.objects.count() == 3


def test_figures_are_readable_lines_too(judged):
    judge(judged, "bear", "k7", 1)
    run("evaluate_search", "notes", "--mode", "keyword", "--fusion", "rrf")
    out, errors = run("evaluate_search", "notes", "--mode", "keyword", "--keyword-weight", "0.4")
    assert out.startswith("notes: 5 queries, judgements\nkeyword, run ")
    assert "  recall@10  0.600 [0.200, 1.000]   change +0.000 [+0.000, +0.000]\n" in out
    assert ", 5 queries in both" in out
    assert "1 relevant keys have no item" in errors


def test_a_run_that_is_not_there_is_an_error_of_one_line(judged):
    with pytest.raises(CommandError, match="compare: expected a run of 'notes' on judgements"):
        run("evaluate_search", "notes", "--compare", "7")


def test_rows_are_asked_for_where_nobody_judged(fill):
    fill(*(f"Harbour {n} was built by monk{n}. The monk{n} burnt ship{n} in it." for n in range(40)))
    result = as_json("evaluate_search", "notes", "--mode", "keyword")
    assert (result["source"], result["n"]) == ("known-items", 40)
    with pytest.raises(CommandError, match="import_judgements"):
        run("evaluate_search", "notes", "--source", "judgements")


def test_a_file_by_name_or_as_an_argument_gives_figures_alone(notes, tmp_path):
    path = tmp_path / "judged.jsonl"
    path.write_text('{"query": "red fox", "relevant": {"k0": 3}}\n')
    assert as_json("evaluate_search", "notes", path) == as_json("evaluate_search", "notes", "--queries", path)
    assert as_json("evaluate_search", "notes", path, "-k", "3", "--mode", "semantic").keys() == {
        "collection", "mode", "n", "ndcg@10", "mrr@10", "recall@3",
    }  # fmt: skip
    assert not EvaluationRun.objects.exists()
    for more in (["--queries", path], ["--compare", "1"], ["--source", "judgements"]):
        with pytest.raises(CommandError):
            run("evaluate_search", "notes", path, *more)


def misleading(count):
    """Rows that the words of a query mislead: the right one stands beside it in meaning alone."""
    embedder = get_embedder("fake", model="words", dimensions=64)
    notes = store.create_collection("notes", keyword_weight=0.8)
    for query in (f"word{n}" for n in range(count)):
        near = embedder.embed_query(query)
        store.upsert(
            notes, [Item(f"wrong {query}", query, vector=-near), Item(query, "nothing alike", vector=near)]
        )
        judge(notes, query, query, 1)


def test_weights_are_chosen_and_saved_if_that_is_asked_for():
    misleading(40)
    result = as_json("tune_search", "notes")
    other = result["languages"]["other"]
    assert (result["applied"], other["current"], other["n"]) == (False, 0.8, 40)
    assert other["chosen"] <= 0.5
    assert other["gain"]["low"] > 0
    out, _ = run("tune_search", "notes")
    assert "English and others: 40 queries, judgements\n" in out
    assert "Nothing was saved; --apply does." in out
    assert store.get_collection("notes").keyword_weight == 0.8
    out, _ = run("tune_search", "notes", "--apply")
    assert "  Change: the gain on queries not seen is certain.\n" in out
    assert "notes: saved." in out
    assert store.get_collection("notes").keyword_weight == other["chosen"]
    assert as_json("tune_search", "notes", "--apply")["applied"] is False


def test_few_queries_are_told_so():
    misleading(8)
    out, _ = run("tune_search", "notes", "--apply")
    assert "Keep: 8 queries are too few, 30 are needed." in out
    assert store.get_collection("notes").keyword_weight == 0.8
