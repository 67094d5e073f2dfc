"""Metrics that need no model: what came out, against what was expected, as a score from 0 to 1.

A metric is ``{"type": "contains", "name": …, "weight": …, …}``; `MEMBERS` are what each type takes beside.
Its name is that of the evaluations it makes, by default its type. The main score of an item, which has no
name, is the mean of all metrics by their weights.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import jsonschema_rs
import regex

from ..rendering.errors import TemplateProblem
from ..rendering.names import check_text
from . import json_schemas

MAX_METRICS: Final = 20
MAX_PATTERN: Final = 1_000
JUDGE: Final = "judge"
_REGEX_SECONDS: Final = 0.25
_UNITS: Final = ("characters", "words")


class InvalidMetric(TemplateProblem):
    """A metric is none, or lacks what it needs."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One output with what it took; ``expected`` is the item's, None where it has none."""

    output: str
    expected: Any = None
    latency_ms: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 to 1, and what there is to say of it."""

    value: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    type: str
    name: str
    weight: float
    options: Mapping[str, Any]

    @property
    def needs_model(self) -> bool:
        return self.type == JUDGE

    def score(self, sample: Sample) -> Score | None:
        """None where it says nothing of this sample, such as of a latency that is not known."""
        return _SCORERS[self.type](sample, self.options)


def parse(value: Any, field_name: str = "metrics") -> list[Metric]:
    """Metrics as they are given. Raises ``InvalidMetric`` that names the member at fault."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_METRICS:
        raise InvalidMetric(field_name, f"a list of 1 to {MAX_METRICS} metrics", _shown(value))
    found = [_parse(one, f"{field_name}[{at}]") for at, one in enumerate(value)]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise InvalidMetric(field_name, "metrics with names of their own", "one twice")
    return found


def main_score(metrics: Sequence[Metric], scores: Mapping[str, Score]) -> float | None:
    """The mean of the scores there are, by weight; None where there are none."""
    known = [(metric.weight, scores[metric.name].value) for metric in metrics if metric.name in scores]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None


def _parse(value: Any, field_name: str) -> Metric:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in MEMBERS:
        expected = f"an object with a type of {', '.join(MEMBERS)}"
        raise InvalidMetric(field_name, expected, _shown(value if kind is None else kind))
    members = MEMBERS[kind]
    for name in value:
        if name not in (*members, "type", "name", "weight"):
            raise InvalidMetric(
                f"{field_name}.{str(name)[:64]}", f"no members but {', '.join(members) or 'none'}", "it"
            )
    name = value.get("name", kind)
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable():
        raise InvalidMetric(f"{field_name}.name", "1 to 64 printable characters", _shown(name))
    weight = value.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1_000:
        raise InvalidMetric(f"{field_name}.weight", "a number above 0 up to 1,000", _shown(weight))
    options = {
        name: check(value[name], f"{field_name}.{name}") for name, check in members.items() if name in value
    }
    if missing := [name for name in _NEEDED.get(kind, ()) if name not in options]:
        raise InvalidMetric(f"{field_name}.{missing[0]}", "a value", "nothing")
    if kind == "length" and not options.keys() & {"min", "max"}:
        raise InvalidMetric(f"{field_name}.max", "min, max or both", "neither")
    return Metric(kind, name, float(weight), options)


def _exact_match(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    if sample.expected is None:
        return None
    wanted, got = _text(sample.expected), sample.output
    if options.get("strip", True):
        wanted, got = wanted.strip(), got.strip()
    if options.get("ignore_case", False):
        wanted, got = wanted.casefold(), got.casefold()
    if wanted != got and not isinstance(sample.expected, str):
        return Score(float(_same_json(sample.expected, sample.output)))
    return Score(float(wanted == got))


def _contains(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    """The share of the texts that the output contains, or whether it contains any of them."""
    wanted = options.get("texts")
    if wanted is None:
        wanted = sample.expected if isinstance(sample.expected, list) else [sample.expected]
    texts = [_text(one) for one in wanted if one is not None]
    if not texts:
        return None
    output = sample.output
    if options.get("ignore_case", False):
        output, texts = output.casefold(), [one.casefold() for one in texts]
    missing = [one for one in texts if one not in output]
    if options.get("any", False):
        return Score(float(len(missing) < len(texts)))
    return Score(
        1 - len(missing) / len(texts), {"missing": [one[:200] for one in missing[:20]]} if missing else {}
    )


def _regex(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    flags = regex.IGNORECASE if options.get("ignore_case", False) else 0
    try:
        found = regex.search(options["pattern"], sample.output, flags=flags, timeout=_REGEX_SECONDS)
    except TimeoutError:
        return Score(0.0, {"problem": "The pattern took too long."})
    return Score(float(found is not None))


def _json_schema(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    found = json_schemas.problem_of(options["schema"], sample.output)
    if found is None:
        return Score(1.0)
    problem, path = found
    return Score(0.0, {"problem": problem[:500], "path": path[:500]})


def _length(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    is_words = options.get("unit", "characters") == "words"
    size = len(sample.output.split()) if is_words else len(sample.output)
    fits = options.get("min", 0) <= size <= options.get("max", math.inf)
    return Score(float(fits), {"length": size})


def _latency(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    if sample.latency_ms is None:
        return None
    return Score(float(sample.latency_ms <= options["max_ms"]), {"latency_ms": sample.latency_ms})


def _cost(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    if sample.cost is None:
        return None
    return Score(float(sample.cost <= options["max_usd"]), {"cost": sample.cost})


def _judge(sample: Sample, options: Mapping[str, Any]) -> Score | None:
    raise AssertionError("a judge is asked by prompts.evaluating.judge")


_SCORERS: Final[dict[str, Callable[[Sample, Mapping[str, Any]], Score | None]]] = {
    "exact_match": _exact_match,
    "contains": _contains,
    "regex": _regex,
    "json_schema": _json_schema,
    "length": _length,
    "latency": _latency,
    "cost": _cost,
    JUDGE: _judge,
}


def _flag(value: Any, field_name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidMetric(field_name, "true or false", _shown(value))
    return value


def _count(value: Any, field_name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000_000:
        raise InvalidMetric(field_name, "an integer from 0 to 10,000,000", _shown(value))
    return value


def _amount(value: Any, field_name: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 10_000_000:
        raise InvalidMetric(field_name, "a number from 0 to 10,000,000", _shown(value))
    return float(value)


def _unit(value: Any, field_name: str) -> str:
    if value not in _UNITS:
        raise InvalidMetric(field_name, " or ".join(_UNITS), _shown(value))
    return str(value)


def _texts(value: Any, field_name: str) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= 100:
        raise InvalidMetric(field_name, "a list of 1 to 100 texts", _shown(value))
    return [check_text(one, f"{field_name}[{at}]", 10_000) for at, one in enumerate(value)]


def _pattern(value: Any, field_name: str) -> str:
    text = check_text(value, field_name, MAX_PATTERN)
    try:
        regex.compile(text)
    except (regex.error, RecursionError, OverflowError) as error:
        raise InvalidMetric(field_name, "a regular expression", str(error)[:200]) from error
    return text


def _schema(value: Any, field_name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidMetric(
            field_name, f"an object of at most {json_schemas.MAX_SCHEMA:,} bytes", _shown(value)
        )
    try:
        json_schemas.check(value)
    except (ValueError, TypeError, RecursionError, jsonschema_rs.ReferencingError) as error:
        expected = f"a JSON Schema of at most {json_schemas.MAX_SCHEMA:,} bytes without outside references"
        raise InvalidMetric(field_name, expected, str(error)[:200]) from error
    return value


def _criteria(value: Any, field_name: str) -> str:
    text = check_text(value, field_name, 20_000)
    if not text.strip():
        raise InvalidMetric(field_name, "what is to be judged", "nothing")
    return text


def _model(value: Any, field_name: str) -> str:
    return check_text(value, field_name, 255)


MEMBERS: Final[dict[str, dict[str, Callable[[Any, str], Any]]]] = {
    "exact_match": {"ignore_case": _flag, "strip": _flag},
    "contains": {"texts": _texts, "any": _flag, "ignore_case": _flag},
    "regex": {"pattern": _pattern, "ignore_case": _flag},
    "json_schema": {"schema": _schema},
    "length": {"min": _count, "max": _count, "unit": _unit},
    "latency": {"max_ms": _amount},
    "cost": {"max_usd": _amount},
    JUDGE: {"criteria": _criteria, "model": _model},
}
_NEEDED: Final = {
    "regex": ("pattern",),
    "json_schema": ("schema",),
    "latency": ("max_ms",),
    "cost": ("max_usd",),
    JUDGE: ("criteria",),
}


def _same_json(expected: Any, output: str) -> bool:
    try:
        return bool(json.loads(output) == expected)
    except (ValueError, RecursionError):
        return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text[:100]
