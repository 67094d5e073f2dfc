"""JSON Schemas that somebody gave: checked before they are kept, and matched in a time that is known.

A schema of a few lines can take years: thirty definitions, each of which refers to the next one twice. The
library follows each way of an ordinary reference, and remembers only what refers back to itself. So the ways
are counted when a schema is given, and again for how long a text they may be followed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

MAX_SCHEMA: Final = 65_536  # bytes of JSON
MAX_WAYS: Final = 20_000
# Ways times characters of what is matched: a second or two, as measured with numbers and with patterns.
MAX_WORK: Final = 200_000_000
_PATTERN: Final = 1_000_000  # bytes of a compiled pattern
# Keywords whose members are schemas under names of their own, and those that hold values.
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas", "dependencies")
_COMPARED: Final = ("enum", "const")
_VALUES: Final = ("default", "examples", "example")
# What takes longer than other keywords: 2 µs for each character of a number with an exponent.
_DIVISION: Final = 300
# Each of them goes through all beside it once more, to see what has been looked at.
_TWICE: Final = ("unevaluatedProperties", "unevaluatedItems")
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")


def check(schema: Mapping[str, Any]) -> None:
    """Raises ``ValueError``, ``TypeError`` or ``jsonschema_rs.ReferencingError``."""
    if len(json.dumps(schema)) > MAX_SCHEMA:
        raise ValueError(f"it is longer than {MAX_SCHEMA:,} bytes")
    _validator(schema)
    ways = _Ways(schema)
    if ways.count(schema) > MAX_WAYS:
        raise ValueError(f"its references and keywords lead along more than {MAX_WAYS:,} ways")


def problem_of(schema: Mapping[str, Any], text: str) -> tuple[str, str] | None:
    """What is wrong with the JSON of this text, and where; None where nothing is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "The output is not JSON.", ""
    ways = _Ways(schema)
    if ways.count(schema) * len(text) > MAX_WORK:
        return f"{len(text):,} characters are too many for a schema of this size.", ""
    validator = _validator(schema)
    try:
        if ways.has_circles:  # telling where takes a time that doubles with each level of the value
            return None if validator.is_valid(value) else ("It does not match the schema.", "")
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return str(error.message), "/".join(map(str, error.instance_path))
    except ValueError as error:  # half of a surrogate pair, or nested too deeply for the library
        return f"It cannot be matched: {type(error).__name__}.", ""
    return None


class _Ways:
    """How many schemas a value is looked at with, each as often as references lead to it."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._known: dict[str, int] = {}
        self._anchors = {name: node for node in _objects(root) for name in _names(node)}
        self.has_circles = False

    def count(self, node: Any) -> int:
        """At most one more than the most."""
        if isinstance(node, list):
            return self._sum(0, map(self.count, node))
        if not isinstance(node, Mapping):
            return 0
        count = self._sum(1, self._inside(node))
        return self._sum(count, (count for name in _TWICE if name in node))

    def _inside(self, node: Mapping[str, Any]) -> Iterator[int]:
        for name, value in node.items():
            if name in _REFERENCES and isinstance(value, str):
                yield self._follow(value)
            elif name == "multipleOf":
                yield _DIVISION
            elif name in _COMPARED:
                yield sum(1 for _ in _values(value))
            elif name in _NAMED and isinstance(value, Mapping):
                yield from map(self.count, value.values())
            elif name not in (*_VALUES, "$defs", "definitions"):
                yield self.count(value)

    @staticmethod
    def _sum(start: int, counts: Iterable[int]) -> int:
        for count in counts:
            start += count
            if start > MAX_WAYS:
                return MAX_WAYS + 1
        return start

    def _follow(self, reference: str) -> int:
        if reference not in self._known:
            self._known[reference] = -1
            self._known[reference] = self.count(self._target(reference))
        if self._known[reference] < 0:
            self.has_circles = True
            return 1
        return self._known[reference]

    def _target(self, reference: str) -> Any:
        address, _, fragment = reference.partition("#")
        if address and address != str(self._root.get("$id", "")).partition("#")[0]:
            raise ValueError('it has a reference that does not begin with "#"')
        if not fragment.startswith("/"):
            return self._anchors.get(fragment, {}) if fragment else self._root
        node: Any = self._root
        for step in fragment[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise ValueError("it has a reference that leads nowhere, or is percent-encoded") from None
        return node


def _values(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from _values(inner)


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in _values(node) if isinstance(one, Mapping))


def _names(node: Mapping[str, Any]) -> list[str]:
    return [node[name] for name in ("$anchor", "$dynamicAnchor") if isinstance(node.get(name), str)]


def _validator(schema: Mapping[str, Any]) -> Any:
    """Nothing is fetched for it; patterns are matched in linear time."""
    return jsonschema_rs.validator_for(
        dict(schema), retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN)
    )


def _refuse(address: str) -> Any:
    raise ValueError("it refers to something outside")
