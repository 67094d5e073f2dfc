"""A schema holds for what is stored and what comes, and its indexes answer as a scan would."""

import json
from contextlib import nullcontext

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.test_filters import conditions_of, holds
from vectors import store
from vectors.browsing_sql import count as count_statement
from vectors.errors import InvalidCollection, InvalidItem, StaleBatch
from vectors.filters import compile_filter, where_for
from vectors.metadata_schema import TYPES, MetadataSchema, parse
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import search
from vectors.sql import Tables
from vectors.store import Item

pytestmark = pytest.mark.django_db

SCHEMA = {
    "lang": {"type": "string", "required": True, "indexed": True},
    "year": {"type": "integer", "indexed": True},
    "score": {"type": "number", "indexed": True},
    "ok": {"type": "boolean", "indexed": True},
    "when": {"type": "datetime", "indexed": True},
    "tags": {"type": "string[]"},
}


@pytest.fixture
def notes():
    return store.create_collection("notes", metadata_schema=SCHEMA)


def indexes(collection: Collection) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE %s"
    return {name for (name,) in execute("default", (sql, [f"vec_{collection.pk}_meta_%"]))}


def plan(collection: Collection, condition: object) -> str:
    sql, params = count_statement(Tables.of(collection), where_for(collection, condition))
    rows = execute("default", (f"EXPLAIN QUERY PLAN {sql}", params))
    return "\n".join(row[3] for row in rows)


GOOD = [
    {"lang": "en"},
    {"lang": "", "year": 2026, "score": 1, "ok": False, "when": "2026-05-01", "tags": []},
    {"lang": "en", "score": 0.5, "when": "2026-05-01T09:30:00.123+09:00", "tags": ["a", "b"]},
    {"lang": "en", "year": None, "when": "2026-05-01 09:30Z", "other": {"x": [1]}},
]
BAD = [
    ({}, "lang", "nothing"),
    ({"lang": None}, "lang", "null"),
    ({"lang": ["en"]}, "lang", "list"),
    ({"lang": "en", "year": 1.0}, "year", "float 1.0"),
    ({"lang": "en", "year": True}, "year", "bool True"),
    ({"lang": "en", "score": "1"}, "score", "str '1'"),
    ({"lang": "en", "ok": 1}, "ok", "int 1"),
    ({"lang": "en", "when": "yesterday"}, "when", "str 'yesterday'"),
    ({"lang": "en", "when": "20260501"}, "when", "str"),
    ({"lang": "en", "when": "2026-13-01"}, "when", "str"),
    ({"lang": "en", "when": "２０２６-05-01"}, "when", "str"),
    ({"lang": "en", "tags": "a"}, "tags", "str 'a'"),
    ({"lang": "en", "tags": ["a", 1]}, "tags", "list"),
]


@pytest.mark.parametrize("metadata", GOOD)
def test_it_takes(notes, metadata):
    store.upsert(notes, [Item("k", "t", metadata=metadata)])
    assert store.get(notes, "k").metadata == metadata


@pytest.mark.parametrize(("metadata", "field", "got"), BAD)
def test_it_refuses_by_name(notes, metadata, field, got):
    with pytest.raises(InvalidItem) as caught:
        store.upsert(notes, [Item("a", "t", metadata={"lang": "en"}), Item("b", "t", metadata=metadata)])
    assert caught.value.field == f"items[1].metadata.{field}"
    assert caught.value.got.startswith(got)
    assert store.count(notes) == 0


@pytest.mark.parametrize("metadata", GOOD)
def test_stored_rows_that_satisfy_it_let_it_pass(metadata):
    free = store.create_collection("free")
    store.upsert(free, [Item("k", "t", metadata=metadata)])
    store.set_metadata_schema(free, SCHEMA)
    assert store.count(free, {"lang": metadata["lang"]}) == 1


@pytest.mark.parametrize(("metadata", "field", "got"), BAD)
def test_stored_rows_that_do_not_are_named(metadata, field, got):
    free = store.create_collection("free")
    good = [Item(f"g{at}", "t", metadata=one) for at, one in enumerate(GOOD)]
    store.upsert(free, [*good, Item("bad", "t", metadata=metadata)])
    with pytest.raises(InvalidCollection, match=r"other metadata in 'bad'$"):
        store.set_metadata_schema(free, SCHEMA)
    assert (free.metadata_schema, indexes(free)) == ({}, set())
    free.refresh_from_db()
    assert free.metadata_schema == {}


@pytest.mark.parametrize(
    ("when", "is_one"),
    [
        *(("2024-02-29", True), ("2026-02-30", False), ("0000-01-01", False), ("2026-05-01 ", False)),
        *(("2026-05-01T23:59", True), ("2026-05-01T24:00", False), ("2026-05-01  09:30", False)),
        *(("2026-05-01T09:30:00-00:00", True), ("2026-05-01T09:30:00 +09:00", False)),
        *(("2026-05-01T09:30+14:59", True), ("2026-05-01T09:30+15:00", False)),
        *(("2026-05-01T09:30:00.5Z", True), ("2026-05-01T09:30:00z", False), ("2026-05-01T09:30Z ", False)),
    ],
)
def test_python_and_sql_agree_on_what_a_time_is(when, is_one):
    item = Item("a", "text", metadata={"when": when})
    stored, coming = store.create_collection("stored"), store.create_collection("coming")
    schema = {"when": {"type": "datetime"}}
    store.upsert(stored, [item])
    store.set_metadata_schema(coming, schema)
    for error, act in (
        (InvalidCollection, lambda: store.set_metadata_schema(stored, schema)),
        (InvalidItem, lambda: store.upsert(coming, [item])),
    ):
        with nullcontext() if is_one else pytest.raises(error):
            act()


def test_only_the_first_offenders_are_named():
    free = store.create_collection("free")
    store.upsert(free, [Item(f"k{at}", "t") for at in range(20)])
    with pytest.raises(InvalidCollection, match="'k0', 'k1', 'k2', 'k3', 'k4', …"):
        store.set_metadata_schema(free, SCHEMA)


def test_a_strict_schema_knows_all_fields():
    strict = store.create_collection(
        "strict", metadata_schema={"a": {"type": "string"}}, metadata_strict=True
    )
    store.upsert(strict, [Item("k", "t", metadata={"a": "x"})])
    with pytest.raises(InvalidItem, match=r"items\[0\].metadata.b: expected one of the fields a"):
        store.upsert(strict, [Item("k", "t", metadata={"a": "x", "b": 1})])
    store.set_metadata_schema(strict, {"a": {"type": "string"}})
    store.upsert(strict, [Item("k2", "t", metadata={"b": 1})])
    with pytest.raises(InvalidCollection, match="'k2'"):
        store.set_metadata_schema(strict, {"a": {"type": "string"}}, strict=True)
    with pytest.raises(InvalidCollection, match="'k'"):
        store.set_metadata_schema(strict, {}, strict=True)


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ([], "metadata_schema"),
        ("x", "metadata_schema"),
        ({"a": 1}, "metadata_schema.a"),
        ({"a": {}}, "metadata_schema.a.type"),
        ({"a": {"type": "text"}}, "metadata_schema.a.type"),
        ({"a": {"type": ["string"]}}, "metadata_schema.a.type"),
        ({"a": {"type": "string", "required": 1}}, "metadata_schema.a.required"),
        ({"a": {"type": "string", "indexed": "yes"}}, "metadata_schema.a.indexed"),
        ({"a": {"type": "string[]", "indexed": True}}, "metadata_schema.a.indexed"),
        ({"a": {"type": "string", "unique": True}}, "metadata_schema.a"),
        ({"": {"type": "string"}}, "metadata_schema"),
        ({"a.b": {"type": "string"}}, "metadata_schema"),
        ({"1a": {"type": "string"}}, "metadata_schema"),
        ({"a\n": {"type": "string"}}, "metadata_schema"),
        ({"é": {"type": "string"}}, "metadata_schema"),
        ({"a'); DROP TABLE users; --": {"type": "string"}}, "metadata_schema"),
        ({'a"': {"type": "string"}}, "metadata_schema"),
        ({"%s": {"type": "string"}}, "metadata_schema"),
        ({"a" * 65: {"type": "string"}}, "metadata_schema"),
        ({1: {"type": "string"}}, "metadata_schema"),
        ({f"f{at}": {"type": "string"} for at in range(101)}, "metadata_schema"),
        ({f"f{at}": {"type": "string", "indexed": True} for at in range(17)}, "metadata_schema"),
    ],
)
def test_a_schema_outside_the_language_is_refused(fields, at):
    with pytest.raises(InvalidCollection) as caught:
        parse(fields)
    assert caught.value.field == at


def test_what_is_stored_is_read_back():
    schema = parse(SCHEMA, strict=True)
    assert MetadataSchema.stored(json.loads(json.dumps(schema.as_stored()))) == schema
    assert parse(schema.as_given(), strict=True) == schema
    assert parse({}).as_stored() == {}


def test_indexes_come_and_go_with_the_schema(notes):
    assert indexes(notes) == {f"vec_{notes.pk}_meta_{number}" for number in range(1, 6)}
    year = notes.metadata_schema["fields"]["year"]["index"]
    store.set_metadata_schema(notes, {"year": SCHEMA["year"], "new": {"type": "string", "indexed": True}})
    assert notes.metadata_schema["fields"]["year"]["index"] == year
    assert len(indexes(notes)) == 2
    for condition, name in (({"year": 1}, f"meta_{year}"), ({"new": "x"}, "meta_1")):
        assert name in plan(notes, condition)
    store.set_metadata_schema(notes, {})
    assert (indexes(notes), notes.metadata_schema) == (set(), {})


def test_the_tables_of_a_loaded_fixture_have_their_indexes(notes):
    twin = Collection(name="twin", dimensions=64, metadata_schema=notes.metadata_schema)
    twin.save()
    assert len(indexes(twin)) == 5


@pytest.mark.parametrize(
    "condition",
    [
        {"lang": "en"},
        {"lang": {"in": ["en", "ja"]}},
        {"lang": {"gte": "e", "lt": "f"}},
        {"year": 2026},
        {"year": {"gt": 2025}},
        {"score": {"lte": 0.5}},
        {"ok": True},
        {"when": {"gte": "2026-01-01"}},
        {"or": [{"lang": "en"}, {"year": 1}]},
        {"tags": "a", "lang": "en"},
    ],
)
def test_filters_use_the_indexes(notes, condition):
    assert f"SEARCH i USING INDEX vec_{notes.pk}_meta_" in plan(notes, condition)


@pytest.mark.parametrize("condition", [{"lang": 5}, {"other": "x"}, {"lang": None}])
def test_others_do_without(notes, condition):
    assert "_meta_" not in plan(notes, condition)


def test_values_are_bound_with_an_index_as_well(notes):
    where = compile_filter({"lang": {"eq": "it's", "in": ["x", "y"]}}, {"lang": "string"})
    assert "it's" not in where.sql
    assert where.params == ("it's", '["x", "y"]')


def test_a_writer_that_knows_an_older_schema_starts_over(notes):
    other = Collection.objects.get(pk=notes.pk)
    store.set_metadata_schema(other, {"lang": {"type": "integer", "required": True}})
    with pytest.raises(InvalidItem, match="an integer"):
        store.upsert(notes, [Item("k", "t", metadata={"lang": "en"})])
    assert store.upsert(notes, [Item("k", "t", metadata={"lang": 1})]).inserted == 1


def test_a_batch_prepared_for_an_older_schema_is_not_written(notes):
    prepared = store.prepare(notes, [Item("k", "t", metadata={"lang": "en"})])
    store.set_metadata_schema(Collection.objects.get(pk=notes.pk), {"lang": {"type": "integer"}})
    with pytest.raises(StaleBatch):
        store.write(notes, prepared)


# -- with and without indexes -----------------------------------------------------------------------------

TEXTS = st.sampled_from(["", "a", "b", "1", "é"])
NUMBERS = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, 1.0, 2**53, 2**53 + 1, -(2**63)]))
VALUES = {
    "lang": st.one_of(TEXTS),
    "year": st.integers(-2, 2) | st.sampled_from([2**53 + 1, 2**63 - 1]),
    "score": NUMBERS,
    "ok": st.booleans(),
    "when": st.sampled_from(["2026-05-01", "2026-05-02T00:00Z"]),
}
OPTIONAL = {name: values | st.none() for name, values in VALUES.items()}
TYPED = st.fixed_dictionaries({}, optional=OPTIONAL)
ANY = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just("2026-05-01"))
TYPED_CLAUSES = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne"]), ANY),
    st.tuples(st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS | TEXTS),
    st.tuples(st.just("in"), st.lists(ANY, min_size=1, max_size=3)),
)
TYPED_LEAVES = st.builds(
    lambda field, clause: {field: {clause[0]: clause[1]}}, st.sampled_from(sorted(VALUES)), TYPED_CLAUSES
)
TYPED_CONDITIONS = conditions_of(TYPED_LEAVES)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TYPED, min_size=1, max_size=8), st.lists(TYPED_CONDITIONS, min_size=1, max_size=10))
def test_an_index_changes_no_answer(db, notes, metadata, conditions):
    store.set_metadata_schema(notes, {})
    store.delete(notes, [item.key for item in store.iterate(notes)])
    store.upsert(notes, [Item(str(at), f"row {at}", metadata=row) for at, row in enumerate(metadata)])
    store.set_metadata_schema(notes, SCHEMA | {"lang": {"type": "string", "indexed": True}})
    for condition in conditions:
        expected = [str(at) for at, row in enumerate(metadata) if holds(condition, row)]
        assert [item.key for item in store.scroll(notes, filter=condition).items] == expected, condition
        assert store.count(notes, condition) == len(expected), condition
        hits = search(notes, "row", k=50, mode="keyword", filter=condition).hits
        assert sorted(hit.key for hit in hits) == expected, condition


def test_all_types_are_tested():
    assert {one["type"] for one in SCHEMA.values()} == set(TYPES)
    assert connection.vendor == "sqlite"
