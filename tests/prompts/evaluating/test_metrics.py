import json
import time
import tracemalloc
from typing import Any

import pytest

from prompts.evaluating import metrics
from prompts.evaluating.metrics import InvalidMetric, Sample, main_score
from prompts.rendering.errors import TemplateProblem


def score(metric: dict[str, Any], output: str, expected: Any = None, **took: float) -> float | None:
    found = metrics.parse([metric])[0].score(Sample(output, expected, **took))
    return found.value if found else None


@pytest.mark.parametrize(
    ("metric", "output", "expected", "value"),
    [
        ({"type": "exact_match"}, " Paris\n", "Paris", 1),
        ({"type": "exact_match", "strip": False}, " Paris", "Paris", 0),
        ({"type": "exact_match"}, "paris", "Paris", 0),
        ({"type": "exact_match", "ignore_case": True}, "PARIS", "Paris", 1),
        ({"type": "exact_match"}, '{"b": [1, 2], "a": null}', {"a": None, "b": [1, 2]}, 1),
        ({"type": "exact_match"}, '{"a": 1}', {"a": 2}, 0),
        ({"type": "exact_match"}, "東京", "東京", 1),
        ({"type": "exact_match"}, "x", None, None),
        ({"type": "contains"}, "It is Paris.", "Paris", 1),
        ({"type": "contains"}, "It is Paris.", ["Paris", "France"], 0.5),
        ({"type": "contains", "texts": ["a", "b", "z"]}, "ab", None, 2 / 3),
        ({"type": "contains", "texts": ["a", "z"], "any": True}, "ab", None, 1),
        ({"type": "contains", "texts": ["y", "z"], "any": True}, "ab", None, 0),
        ({"type": "contains"}, "x", None, None),
        ({"type": "regex", "pattern": r"^\d+$"}, "42", None, 1),
        ({"type": "regex", "pattern": r"^\d+$"}, "no", None, 0),
        ({"type": "regex", "pattern": "PARIS", "ignore_case": True}, "Paris", None, 1),
        ({"type": "json_schema", "schema": {"type": "object", "required": ["a"]}}, '{"a": 1}', None, 1),
        ({"type": "json_schema", "schema": {"type": "object", "required": ["a"]}}, "{}", None, 0),
        ({"type": "json_schema", "schema": {"type": "object"}}, "no json", None, 0),
        ({"type": "length", "max": 3}, "abc", None, 1),
        ({"type": "length", "max": 3}, "abcd", None, 0),
        ({"type": "length", "min": 2, "max": 3, "unit": "words"}, "one two three", None, 1),
        ({"type": "length", "min": 4, "unit": "words"}, "one two three", None, 0),
    ],
)
def test_it_scores(metric: dict[str, Any], output: str, expected: Any, value: float | None) -> None:
    assert score(metric, output, expected) == (pytest.approx(value) if value is not None else None)


def test_what_it_took_counts_where_it_is_known() -> None:
    latency, cost = {"type": "latency", "max_ms": 500}, {"type": "cost", "max_usd": 0.01}
    assert [score(latency, "", latency_ms=ms) for ms in (500.0, 501.0)] == [1, 0]
    assert [score(cost, "", cost=usd) for usd in (0.01, 0.02)] == [1, 0]
    assert score(latency, "") is None
    assert score(cost, "") is None


def test_the_main_score_is_the_mean_by_weight_of_what_is_known() -> None:
    found = metrics.parse(
        [
            {"type": "contains", "texts": ["a"], "weight": 3},
            {"type": "length", "max": 1},
            {"type": "exact_match"},
        ]
    )
    sample = Sample("ab")
    scores = {one.name: value for one in found if (value := one.score(sample))}
    assert set(scores) == {"contains", "length"}
    assert main_score(found, scores) == pytest.approx(0.75)
    assert main_score(found, {}) is None


def test_a_hostile_pattern_ends() -> None:
    found = metrics.parse([{"type": "regex", "pattern": r"^(\w+\s?)*$"}])[0].score(Sample("a" * 40 + "!"))
    assert found is not None
    assert found.value == 0


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        ({}, "metrics[0]"),
        ("contains", "metrics[0]"),
        ({"type": "magic"}, "metrics[0]"),
        ({"type": "contains", "pattern": "x"}, "metrics[0].pattern"),
        ({"type": ["regex"]}, "metrics[0]"),
        ({"type": {}}, "metrics[0]"),
        ({"type": "regex"}, "metrics[0].pattern"),
        ({"type": "regex", "pattern": "("}, "metrics[0].pattern"),
        ({"type": "regex", "pattern": "a" * 1001}, "metrics[0].pattern"),
        ({"type": "length"}, "metrics[0].max"),
        ({"type": "length", "max": -1}, "metrics[0].max"),
        ({"type": "length", "max": 1, "unit": "bytes"}, "metrics[0].unit"),
        ({"type": "json_schema", "schema": {"type": 5}}, "metrics[0].schema"),
        ({"type": "json_schema", "schema": {"$ref": "http://127.0.0.1/x"}}, "metrics[0].schema"),
        ({"type": "json_schema", "schema": []}, "metrics[0].schema"),
        ({"type": "latency"}, "metrics[0].max_ms"),
        ({"type": "latency", "max_ms": True}, "metrics[0].max_ms"),
        ({"type": "judge"}, "metrics[0].criteria"),
        ({"type": "judge", "criteria": " "}, "metrics[0].criteria"),
        ({"type": "exact_match", "weight": 0}, "metrics[0].weight"),
        ({"type": "exact_match", "name": ""}, "metrics[0].name"),
        ({"type": "exact_match", "strip": "yes"}, "metrics[0].strip"),
    ],
)
def test_it_refuses_what_is_no_metric(metric: Any, field: str) -> None:
    with pytest.raises(TemplateProblem) as refusal:
        metrics.parse([metric])
    assert refusal.value.field == field


def test_a_type_that_there_is_not_is_quoted() -> None:
    with pytest.raises(InvalidMetric, match=r"metrics\[0\]: expected .* got 'exct'"):
        metrics.parse([{"type": "exct"}])


@pytest.mark.parametrize("value", [None, {}, [], [{"type": "contains"}] * 21, [{"type": "contains"}] * 2])
def test_it_refuses_lists_that_are_none(value: Any) -> None:
    with pytest.raises(InvalidMetric):
        metrics.parse(value)


def doubling(levels: int) -> dict[str, Any]:
    """Each definition refers to the next one twice: as many ways as there are grains on a chess board."""
    found: dict[str, Any] = {
        f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]}
        for at in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": found | {f"d{levels}": {"type": "string"}}}


def test_a_schema_that_would_take_years_is_refused() -> None:
    metrics.parse([{"type": "json_schema", "schema": doubling(8)}])
    with pytest.raises(InvalidMetric, match="ways"):
        metrics.parse([{"type": "json_schema", "schema": doubling(40)}])


def test_a_schema_that_refers_back_is_matched_at_once() -> None:
    hostile = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "not": {"required": ["z"]}}
    output = json.loads('{"a":' * 60 + '{"z":1}' + "}" * 60)
    (metric,) = metrics.parse([{"type": "json_schema", "schema": hostile}])
    began = time.monotonic()
    score = metric.score(Sample(json.dumps(output)))
    assert time.monotonic() - began < 5
    assert score is not None
    assert (score.value, score.details["path"]) == (0.0, "")
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    (metric,) = metrics.parse([{"type": "json_schema", "schema": tree}])
    assert metric.score(Sample('{"left": {"right": {}}}')) == metrics.Score(1.0)


def test_a_property_named_definitions_is_no_place_to_hide() -> None:
    bomb = {"$defs": doubling(40)["$defs"], "properties": {"definitions": {"$ref": "#/$defs/d0"}}}
    with pytest.raises(InvalidMetric, match="ways"):
        metrics.parse([{"type": "json_schema", "schema": bomb}])
    values = {"enum": [{"$ref": "http://example.org"}], "properties": {"enum": {"const": {"$ref": "x"}}}}
    metrics.parse([{"type": "json_schema", "schema": values}])  # no references, though they look so


def test_the_first_error_is_found_without_the_others() -> None:
    many = {"items": {"allOf": [{"minimum": number} for number in range(1, 1_500)]}}
    (metric,) = metrics.parse([{"type": "json_schema", "schema": many}])
    tracemalloc.start()
    score = metric.score(Sample(json.dumps([0] * 2_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert score == metrics.Score(0.0, {"problem": "0 is less than the minimum of 1", "path": "0"})
    assert peak < 20_000_000


def test_what_takes_too_long_to_be_matched_is_told() -> None:
    many = {"items": {"allOf": [{"minimum": number} for number in range(1_500)]}}
    (metric,) = metrics.parse([{"type": "json_schema", "schema": many}])
    score = metric.score(Sample(json.dumps([10**6] * 50_000)))
    assert score is not None
    assert "too many for a schema of this size" in score.details["problem"]


def nested(levels: int, keyword: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": ["object", "array"]}
    for _ in range(levels):
        schema = {"allOf": [schema], keyword: False}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        nested(20, "unevaluatedProperties"),
        nested(20, "unevaluatedItems"),
        {"items": {"allOf": [{"multipleOf": 0.1}] * 2_000}},
        {"pattern": "(a{1000}){1000}"},
    ],
)
def test_schemas_whose_keywords_take_long_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidMetric, match=r"metrics\[0\]\.schema"):
        metrics.parse([{"type": "json_schema", "schema": schema}])


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        ({"items": {"allOf": [{"multipleOf": 0.7}] * 50}}, [int("9" * 4_000)] * 200),
        ({"items": {"not": {"enum": [{"a": number} for number in range(2_000)]}}}, [{"a": -1}] * 100_000),
    ],
)
def test_long_outputs_for_them_are_told(schema: dict[str, Any], output: list[Any]) -> None:
    (metric,) = metrics.parse([{"type": "json_schema", "schema": schema}])
    score = metric.score(Sample(json.dumps(output)))
    assert score is not None
    assert "too many for a schema of this size" in score.details["problem"]


@pytest.mark.parametrize("output", ['"\\ud800"', '{"\\ud800": 1}'])
def test_half_of_a_surrogate_pair_is_a_wrong_output_and_no_error(output: str) -> None:
    (metric,) = metrics.parse([{"type": "json_schema", "schema": {"type": "number"}}])
    score = metric.score(Sample(output))
    assert score is not None
    assert score.value == 0
