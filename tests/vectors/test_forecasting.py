"""What more rows would take, by the figures of now and by the planner."""

import pytest

from tests.vectors.clouds import cloud, collect
from vectors import store
from vectors.index.state import State
from vectors.store import Item
from vectors.upkeep import forecasting
from vectors.upkeep.stats import read_figures, read_stats

pytestmark = pytest.mark.django_db


def test_bytes_grow_with_the_rows():
    stats = read_stats(collect(cloud(200)))
    now, ten, hundred = forecasting.sizes(stats)
    assert (now.rows, now.bytes) == (200, sum(stats.sizes.values()))
    assert (ten.rows, ten.bytes, hundred.bytes) == (2_000, 10 * now.bytes, 100 * now.bytes)
    empty = store.create_collection("empty", embedder="", dimensions=3)
    assert forecasting.sizes(read_stats(empty)) == []


def test_it_says_from_how_many_rows_on_another_strategy_is_chosen():
    collection = store.create_collection("notes", embedder="", dimensions=384, strategy="auto")
    (_, exact), (codes_from, quantised), (lists_from, lists) = forecasting.changes(
        forecasting.costs(collection, State())
    )
    assert (exact, quantised, lists) == ("exact", "quantised", "ivf")
    assert 1_000 <= codes_from <= 2_000
    assert lists_from == 100_000
    collection.strategy = "exact"
    assert forecasting.changes(forecasting.costs(collection, State())) == [(1_000, "exact")]


def test_few_dimensions_are_measured_exactly_until_tuning_found_otherwise():
    collection = store.create_collection("few", embedder="", dimensions=64, strategy="auto")
    assert [name for _, name in forecasting.changes(forecasting.costs(collection, State()))] == ["exact"]
    tuned = State(settings={"quantised": {"recall": 0.99}, "costs": {"exact": 2.0}})
    names = [name for _, name in forecasting.changes(forecasting.costs(collection, tuned))]
    assert names[-1] == "quantised"


def test_figures_of_several_collections_come_from_one_statement(django_assert_num_queries):
    one, other = collect(cloud(1_100)), store.create_collection("other", embedder="", dimensions=3)
    store.upsert(other, [Item(str(number), "text", vector=[1, 2, number]) for number in range(5)])
    with django_assert_num_queries(1):
        found = read_figures([one, other], "default")
    assert (found[one.pk].rows, found[other.pk].rows) == (1_100, 5)
    assert found[other.pk].bytes == 5 * 3 * 4
    assert found[one.pk].bytes > 1_100 * 96 * 4
    assert read_figures([], "default") == {}
