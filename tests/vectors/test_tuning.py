"""Trials measure what they say, and the cheapest that finds enough is kept."""

import json
import re

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.vectors.clouds import DIMENSIONS, cloud, collect, near, state
from vectors import strategies
from vectors.errors import InvalidQuery
from vectors.index.training import rebuild
from vectors.index.truth import Truth
from vectors.upkeep.tuning import apply, tune

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_more_confidence_and_more_probes_find_more(metric):
    collection = collect(cloud(4_000), metric=metric)
    rebuild(collection, lists=60)
    tuning = tune(collection, target=0.95, sample=60)
    recalls = {
        (trial.strategy, trial.settings.get("probes"), trial.settings.get("confidence")): trial.recall
        for trial in tuning.trials
    }
    assert recalls["exact", None, None] == 1.0
    assert (
        recalls["quantised", None, 1.0] < recalls["quantised", None, 2.0] <= recalls["quantised", None, 3.0]
    )
    probes = sorted({key[1] for key in recalls if key[0] == "ivf"})
    assert recalls["ivf", probes[0], 2.5] < recalls["ivf", probes[-1], 2.5]
    good = [trial for trial in tuning.trials if trial.recall >= 0.95]
    assert tuning.chosen == min(good, key=lambda trial: trial.p50_ms)


def test_a_trial_says_what_a_reference_says():
    matrix = cloud(1_500)
    collection = collect(matrix)
    tuning = tune(collection, sample=30)
    picked = np.linspace(0, 1_499, 30, dtype=int)
    trial = next(one for one in tuning.trials if one.settings == {"confidence": 1.0})
    truth = Truth(matrix[picked], 10, "cosine", own=picked + 1)
    truth.add(np.arange(1, 1_501), matrix)
    collection.strategy = "quantised"
    apply(collection, _with(tuning, {"quantised": {"confidence": 1.0}}))
    shares = []
    for at, ids in zip(picked, truth.ids, strict=True):
        found = {hit.id for hit in near(collection, matrix[at], k=11).hits} - {at + 1}
        shares.append(len(found & set(ids.tolist())) / 10)
    assert trial.recall == pytest.approx(np.mean(shares), abs=0.005)


def _with(tuning, settings):
    return type(tuning)(**{name: getattr(tuning, name) for name in tuning.__slots__} | {"settings": settings})


def test_what_is_kept_is_what_searches_go_by():
    collection = collect(cloud(4_000), strategy="auto")
    rebuild(collection, lists=60)
    assert near(collection, cloud(1)[0]).plan["strategy"] == "exact"  # few dimensions: not trusted
    tuning = tune(collection, target=0.9, sample=60)
    apply(collection, tuning)
    kept = state(collection).settings
    assert kept["target"] == 0.9
    assert set(kept["costs"]) == {"exact", "quantised", "ivf"}
    assert kept["quantised"]["recall"] >= 0.9
    assert near(collection, cloud(1)[0]).plan["strategy"] == tuning.chosen.strategy
    assert near(collection, cloud(1)[0], strategy="ivf").plan["probes"] == kept["ivf"]["probes"]


def test_a_target_that_only_exact_search_reaches_chooses_it():
    collection = collect(cloud(2_000), strategy="auto")
    tuning = tune(collection, target=1.0, sample=60, k=200)
    assert tuning.chosen.strategy == "exact"
    apply(collection, tuning)
    assert near(collection, cloud(1)[0]).plan["strategy"] == "exact"


def test_other_queries_can_be_asked():
    collection = collect(cloud(2_000))
    tuning = tune(collection, queries=cloud(25, seed=9))
    assert {trial.n for trial in tuning.trials} == {25}


def test_equal_rows_are_ties_not_misses():
    collection = collect(np.repeat(cloud(30), 100, axis=0))
    assert {trial.recall for trial in tune(collection, sample=20).trials} == {1.0}


def test_trying_leaves_nothing_behind():
    collection = collect(cloud(2_000))
    before = state(collection)
    tune(collection, sample=10)
    assert state(collection).settings == before.settings == {}
    plan = near(collection, cloud(1)[0]).plan
    strategies.forget()
    assert near(collection, cloud(1)[0]).plan["reranked"] == plan["reranked"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": 0.0}, "recall: expected a number above 0, up to 1"),
        ({"target": 1.5}, "recall"),
        ({"k": 0}, "k: expected an integer from 1 to 999"),
        ({"k": 1_000}, "k"),
        ({"sample": 0}, "queries: expected at least one"),
        ({"queries": [[1.0, 2.0]]}, f"queries: expected {DIMENSIONS} dimensions"),
        ({"queries": [[float("nan")] * DIMENSIONS]}, "finite"),
    ],
)
def test_it_refuses(arguments, message):
    collection = collect(cloud(20))
    with pytest.raises(ValueError, match=re.escape(message)):
        tune(collection, **arguments)


def test_one_row_has_no_neighbours():
    with pytest.raises(InvalidQuery, match="two rows or more"):
        tune(collect(cloud(1)))


def test_the_command_prints_a_table_and_draws(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    collection = collect(cloud(3_000))
    rebuild(collection, lists=40)
    drawn = tmp_path / "tuning.svg"
    call_command("tune_vectors", "cloud", "--queries", "20", "--recall", "0.9", "--plot", str(drawn))
    out = capsys.readouterr().out
    assert "is the cheapest with recall 0.9 or more" in out
    assert "quantised (confidence 2)" in out
    assert drawn.read_text().startswith("<?xml")
    call_command("tune_vectors", "cloud", "--queries", "20", "--dry-run", "--json")
    figures = json.loads(capsys.readouterr().out)
    assert figures["kept"] is False
    assert figures["chosen"] in figures["trials"]


def test_a_plot_that_cannot_be_drawn_is_refused_before_the_work(tmp_path):
    collect(cloud(20))
    with pytest.raises(CommandError, match=r"plot: expected a file that ends in .svg or .png"):
        call_command("tune_vectors", "cloud", "--plot", str(tmp_path / "tuning.gif"))
