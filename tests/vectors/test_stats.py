"""Figures of a collection and its index."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.vectors.clouds import add, cloud, collect, near
from vectors import store, strategies
from vectors.index.training import rebuild
from vectors.upkeep.stats import read_stats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


def test_it_counts_rows_codes_and_lists():
    matrix = cloud(2_000)
    collection = collect(matrix)
    rebuild(collection, lists=20)
    store.delete(collection, ["k1", "k2", "k3"])
    add(collection, cloud(10, seed=2), 5_000)
    stats = read_stats(collection)
    assert (stats.rows, stats.tail, stats.dead) == (2_007, 10, 3)
    assert stats.lists.shortest <= stats.lists.median <= stats.lists.longest
    assert stats.lists.shortest > 0
    assert stats.raw_bytes == 2_007 * 96 * 4
    assert stats.sizes["vectors"] > stats.raw_bytes
    assert stats.sizes["blocks"] >= 2_000 * 32
    assert stats.sizes["lists"] >= 4_000 * 32
    assert stats.sizes["diskann"] == 0
    rebuild(collection, strategy="diskann")
    assert read_stats(collection).sizes["diskann"] > stats.sizes["vectors"]


def test_an_empty_collection_has_figures_too(capsys):
    collect(cloud(0))
    call_command("vector_stats", "cloud")
    out = capsys.readouterr().out
    assert "0 rows, 96 dimensions, cosine" in out
    assert "searches measure every row" in out


def test_the_command_prints_them(capsys):
    collection = collect(cloud(1_500))
    rebuild(collection, lists=10)
    near(collection, cloud(1)[0])
    call_command("vector_stats", "cloud", "--json")
    figures = json.loads(capsys.readouterr().out)
    assert (figures["rows"], figures["index"]["lists"], figures["dead"]) == (1_500, 10, 0)
    assert 1 < figures["bytes_over_raw"] < 3
    call_command("vector_stats", "cloud")
    out = capsys.readouterr().out
    assert "10 of 1,500 rows" in out
    assert "× the embeddings" in out


def test_a_name_that_is_none_is_named():
    with pytest.raises(CommandError, match="collection: expected the name of a collection, got 'nope'"):
        call_command("vector_stats", "nope")
