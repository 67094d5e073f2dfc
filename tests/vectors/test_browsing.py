"""Paging, counting, facets and deleting by filter, against what Python says of the same rows."""

from collections import Counter

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.test_filters import CONDITIONS, METADATA, holds
from vectors import browsing_sql, store
from vectors.errors import InvalidFilter, InvalidQuery
from vectors.filters import compile_filter
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables
from vectors.store import FacetValue, Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def notes():
    collection = store.create_collection("notes")
    rows = [
        {"lang": "en", "tags": ["a", "b", "a"], "n": 1},
        {"lang": "ja", "tags": "a", "n": 1.0},
        {"lang": "en", "tags": [], "n": "1"},
        {"lang": None, "tags": [["a"], {"b": 1}, None, True], "n": True},
        {"author": {"name": ["Aoi", "Ben"]}},
    ]
    store.upsert(collection, [Item(f"k{at}", f"text {at}", metadata=row) for at, row in enumerate(rows)])
    return collection


def test_pages_follow_each_other_by_id(notes):
    first = store.scroll(notes, limit=3, with_vectors=True)
    second = store.scroll(notes, after=first.next, limit=3)
    assert [item.key for item in first.items + second.items] == ["k0", "k1", "k2", "k3", "k4"]
    assert (second.next, second.vectors) == (None, None)
    expected = store.vectors_by_key(notes, ["k0", "k1", "k2"])
    assert np.array_equal(first.vectors, np.stack([expected[f"k{at}"] for at in range(3)]))
    assert store.scroll(notes, limit=5).next is None
    empty = store.scroll(notes, filter={"lang": "xx"}, with_vectors=True)
    assert (empty.items, empty.next, empty.vectors.shape) == ([], None, (0, 64))


def test_a_page_may_be_filtered(notes):
    assert [item.key for item in store.scroll(notes, filter={"lang": "en"}, limit=1).items] == ["k0"]
    page = store.scroll(notes, filter={"lang": "en"}, after=store.get(notes, "k0").id)
    assert ([item.key for item in page.items], page.next) == (["k2"], None)


def test_each_of_them_is_one_statement(notes):
    for call in (
        lambda: store.scroll(notes, filter={"n": 1}, with_vectors=True),
        lambda: store.count(notes, {"n": 1}),
        lambda: store.facet(notes, "n", filter={"n": 1}),
    ):
        with CaptureQueriesContext(connection) as queries:
            call()
        assert len(queries) == 1


@pytest.mark.parametrize("limit", [0, -1, 1_001, True, 1.5, "1", None])
def test_a_limit_is_an_integer_in_bounds(notes, limit):
    for call in (store.scroll, lambda one, limit: store.facet(one, "n", limit=limit)):
        with pytest.raises(InvalidQuery, match="limit"):
            call(notes, limit=limit)


@pytest.mark.parametrize("after", [-1, 2**63, True, "1", None])
def test_a_cursor_is_an_id(notes, after):
    with pytest.raises(InvalidQuery, match="after"):
        store.scroll(notes, after=after)


def test_it_counts_what_matches(notes):
    assert store.count(notes) == 5
    assert store.count(notes, {"lang": "en"}) == 2
    with pytest.raises(InvalidFilter):
        store.count(notes, {})


def test_a_facet_counts_items_and_not_elements(notes):
    assert store.facet(notes, "tags") == [
        FacetValue("a", 2),
        FacetValue(None, 1),
        FacetValue("b", 1),
        FacetValue(True, 1),
    ]
    assert store.facet(notes, "lang", limit=1) == [FacetValue("en", 2)]
    assert store.facet(notes, "author.name") == [FacetValue("Aoi", 1), FacetValue("Ben", 1)]
    assert store.facet(notes, "author") == store.facet(notes, "none") == []
    assert store.facet(notes, "lang", filter={"tags": "a"}) == [FacetValue("en", 1), FacetValue("ja", 1)]


def test_a_facet_keeps_types_apart(notes):
    found = [(one.value, type(one.value), one.count) for one in store.facet(notes, "n")]
    assert found[0][0] == 1
    assert found[0][2] == 2
    assert sorted(str(value) for value, _, count in found if count == 1) == ["1", "True"]


@pytest.mark.parametrize("field", ["", 'a"b', "a..b", "\0", None, 5, "x" * 10_001])
def test_a_facet_needs_a_field(notes, field):
    with pytest.raises(InvalidFilter, match="field"):
        store.facet(notes, field)


def test_what_matches_is_deleted_from_everywhere(notes):
    assert store.delete_matching(notes, {"lang": "en"}, dry_run=True) == 2
    assert store.count(notes) == 5
    assert store.delete_matching(notes, {"lang": "en"}) == 2
    assert store.delete_matching(notes, {"lang": "en"}) == 0
    assert store.count(notes) == 3
    for mode in ("keyword", "semantic"):
        hits = search(notes, "text", mode=mode).hits
        assert sorted(hit.key for hit in hits) == ["k1", "k3", "k4"]
    assert len(store.vectors_by_key(notes, ["k0", "k1"])) == 1


@pytest.mark.parametrize("condition", [{}, None, [], "lang = 'en'", {"and": []}])
def test_an_empty_filter_deletes_nothing(notes, condition):
    with pytest.raises(InvalidFilter):
        store.delete_matching(notes, condition)
    assert store.count(notes) == 5


def test_deleting_takes_as_many_statements_for_many(notes):
    store.upsert(notes, [Item(f"m{at}", "many", metadata={"m": at}) for at in range(300)])

    def statements(condition):
        with CaptureQueriesContext(connection) as queries:
            store.delete_matching(notes, condition)
        return len(queries)

    assert statements({"m": 0}) == statements({"m": {"gte": 1}})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(METADATA, min_size=1, max_size=8), st.lists(CONDITIONS, min_size=1, max_size=5))
def test_all_agree_with_python(db, notes, metadata, conditions):
    store.delete(notes, [item.key for item in store.iterate(notes)])
    store.upsert(notes, [Item(str(at), f"row {at}", metadata=row) for at, row in enumerate(metadata)])
    for condition in conditions:
        matching = [str(at) for at, row in enumerate(metadata) if holds(condition, row)]
        assert store.count(notes, condition) == len(matching)
        assert [item.key for item in store.scroll(notes, filter=condition).items] == matching
        counts = Counter(
            (isinstance(value, str), isinstance(value, bool), value)
            for key in matching
            for value in {
                (type(one) is bool, one): one for one in _elements(metadata[int(key)].get("a", []))
            }.values()
        )
        found = {
            (isinstance(one.value, str), isinstance(one.value, bool), one.value): one.count
            for one in store.facet(notes, "a", filter=condition, limit=100)
        }
        assert found == counts
    assert store.delete_matching(notes, conditions[0]) == len(
        [row for row in metadata if holds(conditions[0], row)]
    )
    assert store.count(notes, conditions[0]) == 0


def _elements(value):
    return value if isinstance(value, list) else [] if isinstance(value, dict) else [value]


def test_a_spare_space_loses_what_matches_in_the_live_one(notes):
    live, spare = Tables.of(notes), Tables.of(store.create_collection("spare"))
    store.upsert(store.get_collection("spare"), [Item("k0", "x"), Item("k1", "x", metadata={"lang": "en"})])
    for statement in browsing_sql.delete(spare, compile_filter({"lang": "en"}), live=live):
        execute("default", statement)
    assert [item.key for item in store.iterate(store.get_collection("spare"))] == ["k1"]
    assert len(store.vectors_by_key(store.get_collection("spare"), ["k0", "k1"])) == 1
