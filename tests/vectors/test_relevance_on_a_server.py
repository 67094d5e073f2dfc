"""Judgements and figures on a libSQL server, which takes 5 MB at a time and is slow to ask."""

import json
from pathlib import Path

import pytest

from tests.engine.remote.counting import counted_round_trips
from vectors import store
from vectors.models import Collection
from vectors.relevance import weights
from vectors.relevance.importing import export_judgements, import_judgements
from vectors.relevance.judging import judge
from vectors.relevance.measuring import Options
from vectors.relevance.models import EvaluationRun
from vectors.relevance.queries import open_queries
from vectors.relevance.runs import Report, evaluate_queries
from vectors.relevance.tuning import tune_collection
from vectors.search import keyword_weight
from vectors.store import Item

pytestmark = pytest.mark.sqld


def notes(name: str, using: str) -> Collection:
    collection = store.create_collection(name, using=using)
    rows = [Item(f"k{n}", f"Harbour{n} was built by monk{n}. Later ship{n} burnt in it.") for n in range(40)]
    store.upsert(collection, rows, using=using)
    return collection


def test_long_queries_go_in_and_out(server_database: str, tmp_path: Path) -> None:
    collection = notes("long", server_database)
    lines = [{"query": f"{n} " + "質" * 9_000, "key": f"k{n % 50}", "grade": n % 4} for n in range(300)]
    path = tmp_path / "judged.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with counted_round_trips() as trips:
        report = import_judgements(collection, path, quiet=True, using=server_database)
    assert (report.inserted, report.missing_keys) == (300, 10)
    assert len(trips) < 40
    assert len(list(export_judgements(collection, using=server_database))) == 300


def test_it_measures_pairs_and_tunes(server_database: str) -> None:
    collection = notes("measured", server_database)
    for number in range(40):
        judge(collection, f"harbour{number} ship{number}", f"k{number}", 1, using=server_database)

    def run(source: str | None = None) -> Report:
        options = Options(modes=("hybrid",))
        with open_queries(collection, source, using=server_database) as queries:
            [report] = evaluate_queries(collection, queries, options, using=server_database)
        return report

    run()
    assert run().comparison.paired == 40
    assert run("known-items").run.n == 40
    assert EvaluationRun.objects.using(server_database).filter(collection=collection).count() == 3
    tuned = tune_collection(collection, using=server_database)
    assert tuned["other"].n == 40
    weights.apply(collection, other=0.9, cjk=None)
    stored = store.get_collection("measured", using=server_database)
    assert (keyword_weight(stored, "fox"), keyword_weight(stored, "東京")) == (0.9, 0.5)
