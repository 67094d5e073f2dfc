"""The filter language means what it says, and nothing outside it gets through."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vectors import store
from vectors.errors import InvalidFilter
from vectors.filters import compile_filter
from vectors.search import search
from vectors.store import Item

ROWS = [
    {"status": "active", "n": 1, "tags": ["a", "b"], "author": {"name": "Aoi"}},
    {"status": "Active", "n": 1.0, "tags": [], "ok": True},
    {"status": "draft", "n": "1", "tags": "a", "ok": False},
    {"n": 2**53 + 1, "ok": None, "author": "Aoi"},
    {"n": -0.5, "when": "2024-05-01", "ok": 1, "status": "作業中"},
    {"n": [1, 5], "when": "2023-12-31", "author": {"name": ["Ben", "Aoi"]}},
    {},
]


@pytest.fixture
def rows(db):
    collection = store.create_collection("rows")
    store.upsert(collection, [Item(str(at), f"row {at}", metadata=row) for at, row in enumerate(ROWS)])
    return collection


def matching(collection, condition: dict[str, Any]) -> list[int]:
    hits = search(collection, "row", mode="keyword", k=100, filter=condition).hits
    return sorted(int(hit.key) for hit in hits)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"status": "active"}, [0]),
        ({"status": {"eq": "作業中"}}, [4]),
        ({"n": 1}, [0, 1, 5]),
        ({"n": "1"}, [2]),
        ({"ok": True}, [1]),
        ({"ok": 1}, [4]),
        ({"ok": False}, [2]),
        ({"ok": None}, [3]),
        ({"ok": {"ne": None}}, [0, 1, 2, 4, 5, 6]),
        ({"n": 2**53 + 1}, [3]),
        ({"n": 2**53}, []),
        ({"n": {"gt": 1}}, [3, 5]),
        ({"n": {"gte": 1, "lt": 3}}, [0, 1, 5]),
        ({"n": {"lte": -0.5}}, [4]),
        ({"n": {"gt": "0"}}, [2]),
        ({"when": {"gte": "2024-01-01"}}, [4]),
        ({"tags": "a"}, [0, 2]),
        ({"tags": {"ne": "a"}}, [1, 3, 4, 5, 6]),
        ({"tags": {"in": ["b", "z", 1, None, True]}}, [0]),
        ({"ok": {"in": [True, None]}}, [1, 3]),
        ({"ok": {"in": [1, "x"]}}, [4]),
        ({"author.name": "Aoi"}, [0, 5]),
        ({"author": "Aoi"}, [3]),
        ({"and": [{"n": 1}, {"tags": "a"}]}, [0]),
        ({"or": [{"status": "draft"}, {"n": {"lt": 0}}]}, [2, 4]),
        ({"not": {"n": {"gte": -100}}}, [2, 6]),
        ({"n": 1, "status": "active"}, [0]),
        ({"missing": "x"}, []),
        ({"'; DROP TABLE x; --": "x"}, []),
        ({"%s": "%s"}, []),
        ({"a b": 1}, []),
    ],
)
def test_it_selects(rows, condition, expected):
    assert matching(rows, condition) == expected


@pytest.mark.parametrize(
    ("condition", "field", "expected"),
    [
        ({}, "filter", "at least one condition"),
        ([], "filter", "an object"),
        ("status = 1", "filter", "an object"),
        ({"a": {}}, "filter.a", "a value or an operator"),
        ({"a": {"$eq": 1}}, "filter.a.$eq", "eq, gt, gte, lt, lte, ne, in"),
        ({"a": {"like": "x"}}, "filter.a.like", "one of the operators"),
        ({"a": {"eq": [1]}}, "filter.a.eq", "text, a number, true, false or null"),
        ({"a": [1, 2]}, "filter.a", "text, a number, true, false or null"),
        ({"a": {"gt": True}}, "filter.a.gt", "text or a number"),
        ({"a": {"lt": None}}, "filter.a.lt", "text or a number"),
        ({"a": {"in": []}}, "filter.a.in", "a list of 1 to 1,000 values"),
        ({"a": {"in": "x"}}, "filter.a.in", "a list of 1 to 1,000 values"),
        ({"a": {"in": list(range(1_001))}}, "filter.a.in", "a list of 1 to 1,000 values"),
        ({"a": {"in": [1, [2]]}}, "filter.a.in[1]", "text, a number"),
        ({"a": float("nan")}, "filter.a", "a finite number"),
        ({"a": 2**63}, "filter.a", "an integer of 64 bits"),
        ({"a": "x\0"}, "filter.a", "without NUL"),
        ({"and": []}, "filter.and", "a list of conditions"),
        ({"or": {"a": 1}}, "filter.or", "a list of conditions"),
        ({"or": [{}]}, "filter.or[0]", "at least one condition"),
        ({"not": [1]}, "filter.not", "an object"),
        ({'a"b': 1}, 'filter.a"b', "a field name"),
        ({"a..b": 1}, "filter.a..b", "a field name"),
        ({"": 1}, "filter.", "text of 1"),
        ({1: 1}, "filter", "a field name"),
        ({"and": [{"a": 1}] * 101}, "filter.and[100].a", "at most 100 comparisons"),
    ],
)
def test_it_refuses_with_the_place(condition, field, expected):
    with pytest.raises(InvalidFilter) as caught:
        compile_filter(condition)
    assert caught.value.field == field
    assert expected in caught.value.expected


def test_it_refuses_too_deep_a_filter():
    condition: dict[str, Any] = {"a": 1}
    for _ in range(7):
        condition = {"not": condition}
    compile_filter(condition)
    with pytest.raises(InvalidFilter, match="8 levels"):
        compile_filter({"not": condition})


def test_the_largest_filter_still_runs(rows):
    one = {"a": {"in": [f"value {n}" for n in range(1_000)]}}
    assert matching(rows, {"or": [one] * 100}) == []


def test_every_value_is_bound():
    where = compile_filter({"secret": {"eq": "value", "in": ["other", 5]}})
    assert "secret" not in where.sql
    assert "value" not in where.sql.replace("SELECT value FROM", "")
    assert where.sql.count("%s") == len(where.params)


# -- against a second implementation ----------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, "a", "b", "1"])
)
FIELDS = st.sampled_from(["a", "b", "c.d"])
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "a": st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
        "b": SCALARS,
        "c": st.one_of(SCALARS, st.fixed_dictionaries({}, optional={"d": SCALARS})),
    },
)
ORDERED = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, "a", "1"]))
CLAUSES = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne"]), SCALARS),
    st.tuples(st.sampled_from(["gt", "gte", "lt", "lte"]), ORDERED),
    st.tuples(st.just("in"), st.lists(SCALARS, min_size=1, max_size=3)),
)
LEAVES = st.builds(lambda field, clause: {field: {clause[0]: clause[1]}}, FIELDS, CLAUSES)


def conditions_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Conditions on single fields, joined by and, or, not."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(
                lambda name, parts: {name: parts},
                st.sampled_from(["and", "or"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=4,
    )


CONDITIONS = conditions_of(LEAVES)


def holds(condition: dict[str, Any], metadata: dict[str, Any]) -> bool:
    def kind(value: object) -> object:
        return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value)

    def test(operator: str, element: Any, value: Any) -> bool:
        if operator == "in":
            return any(test("eq", element, one) for one in value)
        if kind(element) != kind(value):
            return False
        return {
            "eq": lambda: element == value,
            "gt": lambda: element > value,
            "gte": lambda: element >= value,
            "lt": lambda: element < value,
            "lte": lambda: element <= value,
        }[operator]()

    ((name, inner),) = condition.items()
    if name == "not":
        return not holds(inner, metadata)
    if name in ("and", "or"):
        return (all if name == "and" else any)(holds(part, metadata) for part in inner)
    value: Any = metadata
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            elements = []
            break
        value = value[part]
    else:
        elements = value if isinstance(value, list) else [] if isinstance(value, dict) else [value]
    ((operator, wanted),) = inner.items()
    if operator == "ne":
        return not any(test("eq", element, wanted) for element in elements)
    return any(test(operator, element, wanted) for element in elements)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(METADATA, min_size=1, max_size=8), st.lists(CONDITIONS, min_size=1, max_size=8))
def test_it_agrees_with_python(db, rows, metadata, conditions):
    store.delete(rows, [item.key for item in store.iterate(rows)])
    store.upsert(rows, [Item(str(at), f"row {at}", metadata=row) for at, row in enumerate(metadata)])
    for condition in conditions:
        expected = [at for at, row in enumerate(metadata) if holds(condition, row)]
        assert matching(rows, condition) == expected, json.dumps(condition)
