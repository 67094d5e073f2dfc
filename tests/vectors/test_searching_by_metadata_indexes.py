"""Searches let the indexes of metadata fields lead them, as long as the database has that schema."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.vectors.clouds import cloud, collect
from vectors import store
from vectors.filters import compile_filter
from vectors.models import Collection
from vectors.rows import execute
from vectors.search import search
from vectors.store import Item

pytestmark = pytest.mark.django_db

ROWS = 2_000
SCHEMA = {"n": {"type": "integer", "indexed": True}}
INDEXED = {"n": "integer", "lang": "string", "ok": "boolean"}


@pytest.fixture
def rows() -> Collection:
    collection = collect(cloud(ROWS))
    store.set_metadata_schema(collection, SCHEMA)
    return collection


def statement(name: str, **options: object) -> tuple[str, str]:
    """The last statement of a search, and its query plan."""
    with CaptureQueriesContext(connection) as queries:
        search(name, vector=cloud(1, seed=3)[0], **options)
    sql = queries[-1]["sql"]
    plan = execute("default", (f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}", []))
    return sql, "\n".join(row[3] for row in plan)


@pytest.mark.parametrize("mode", ["semantic", "hybrid"])
def test_a_rare_value_is_looked_up(rows, mode):
    options = {"mode": mode, "filter": {"n": {"in": [7, 1_999]}}, "strategy": "auto"}
    for _ in range(2):
        found = search("cloud", "row", vector=cloud(1, seed=3)[0], **options)
        assert {hit.key for hit in found.hits} == {"k7", "k1999"}
        assert found.plan["exhaustive"]
    assert found.plan["strategy"] == "exact"
    assert (found.plan["scanned"], found.plan["filtered_out"]) == (2, 0)


def test_its_index_is_used(rows):
    _, plan = statement("cloud", mode="semantic", filter={"n": 7}, strategy="exact")
    assert f"SEARCH i USING INDEX vec_{rows.pk}_meta_1" in plan
    _, plan = statement("cloud", mode="semantic", filter={"mod": 7}, strategy="exact")
    assert "SEARCH i USING INDEX" not in plan


def test_words_come_before_metadata(rows):
    """As the other way round, the full text would be searched anew for each row of the index."""
    _, plan = statement("cloud", query="row", mode="keyword", filter={"n": 7})
    assert "_meta_" not in plan


@pytest.mark.parametrize("by_name", [True, False])
def test_a_schema_that_is_gone_is_not_gone_by(rows, by_name):
    """An index takes for granted that the field is no list; without the schema it may be one."""
    known = store.get_collection("cloud")
    target = "cloud" if by_name else known
    assert [hit.key for hit in search(target, "row", k=5, mode="keyword", filter={"n": 7}).hits] == ["k7"]
    other = Collection.objects.get(pk=rows.pk)
    store.set_metadata_schema(other, {})
    store.upsert(other, [Item("list", "row", vector=cloud(1)[0], metadata={"n": [7, 8]})])
    hits = search(target, "row", k=5, mode="keyword", filter={"n": 7}).hits
    assert {hit.key for hit in hits} == {"k7", "list"}
    assert known.metadata_schema["fields"]  # the caller's own is left alone


@pytest.mark.parametrize(
    ("condition", "is_served"),
    [
        ({"n": 1}, True),
        ({"n": {"gte": 1, "lt": 5}}, True),
        ({"lang": {"in": ["a", "b"]}}, True),
        ({"ok": True}, True),
        ({"other": 1, "n": 2}, True),
        ({"or": [{"n": 1}, {"lang": "a"}]}, True),
        ({"or": [{"n": 1}, {"other": "a"}]}, False),
        ({"n": {"ne": 1}}, False),
        ({"not": {"n": 1}}, False),
        ({"n": "text"}, False),
        ({"n": None}, False),
        ({"other": 1}, False),
    ],
)
def test_what_an_index_serves(condition, is_served):
    assert compile_filter(condition, INDEXED).is_served == is_served
    assert not compile_filter(condition).is_served
