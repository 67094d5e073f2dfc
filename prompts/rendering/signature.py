"""The variables of a template: their types, what is declared of them, and whether values fit.

A declaration is ``{"tone": {"type": "enum", "values": ["formal", "casual"], "default": "formal"}}``. What a
template uses and nobody declared is a required text; in Jinja, where loops and members are usual, any value.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, get_args

from .errors import TemplateProblem
from .names import NAME, check_text

Type = Literal["string", "number", "enum", "list", "json"]
TYPES: Final = get_args(Type)
MAX_VARIABLES: Final = 200
MAX_VALUES: Final = 200
MAX_VALUE_LENGTH: Final = 1_000_000
MAX_DEPTH: Final = 16
MAX_PROBLEMS: Final = 20  # that are told of one kind
MAX_DESCRIPTION: Final = 1_000
_MEMBERS: Final = ("type", "required", "default", "description", "values")


class WrongVariables(TemplateProblem):
    """Values that do not fit; ``problems`` are all of them, the exception itself is the first."""

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        first = problems[0]
        super().__init__(first.field, first.expected, first.got)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    type: Type = "string"
    required: bool = True
    default: Any = None
    description: str = ""
    values: tuple[str, ...] = ()  # of an enum

    @property
    def expected(self) -> str:
        match self.type:
            case "string":
                return "text"
            case "number":
                return "a number"
            case "enum":
                listed = ", ".join(self.values[:20])
                return f"one of {listed}{', …' if len(self.values) > 20 else ''}"
            case "list":
                return "a list of texts and numbers"
            case _:
                return f"a JSON value of at most {MAX_DEPTH} levels"

    @property
    def empty(self) -> Any:
        """What an optional one without a default is."""
        return [] if self.type == "list" else ""

    def check(self, value: Any, field: str) -> Any:
        """`value` if it fits. Raises ``TemplateProblem``."""
        match self.type:
            case "string":
                return check_text(value, field, MAX_VALUE_LENGTH)
            case "number":
                fits = _is_number(value)
            case "enum":
                fits = isinstance(value, str) and value in self.values
            case "list":
                fits = isinstance(value, list) and all(
                    _is_number(one) or isinstance(one, str) for one in value
                )
            case _:
                fits = True
        if not fits:
            raise TemplateProblem(field, self.expected, _shown(value))
        _check_json(value, field, 1)
        return value

    def text(self, value: Any) -> str:
        """How the value stands in a simple template: numbers and JSON as JSON, lists with commas."""
        if value == "" or (isinstance(value, str) and self.type != "json"):
            return str(value)
        if self.type == "list":
            return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in value)
        return json.dumps(value, ensure_ascii=False)

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"type": self.type, "required": self.required}
        if self.default is not None:
            shown["default"] = self.default
        if self.description:
            shown["description"] = self.description
        if self.values:
            shown["values"] = list(self.values)
        return shown


def declared(value: Any, field: str = "variables") -> dict[str, Variable]:
    """The declarations, checked. Raises ``TemplateProblem`` that names the member at fault."""
    if not isinstance(value, dict):
        raise TemplateProblem(field, "an object of declarations by name", _shown(value))
    if len(value) > MAX_VARIABLES:
        raise TemplateProblem(field, f"at most {MAX_VARIABLES} variables", str(len(value)))
    return {name: _declaration(name, one, f"{field}.{_shown_name(name)}") for name, one in value.items()}


def signature(
    used: Sequence[str], declarations: Mapping[str, Variable], inferred: Type
) -> dict[str, Variable]:
    """Each variable that a template uses, as declared, else as a required one of the type `inferred`."""
    return {name: declarations.get(name) or Variable(name, inferred) for name in used}


def bind(
    variables: Mapping[str, Variable], given: Mapping[str, Any], *, allow_partial: bool = False
) -> dict[str, Any]:
    """A value for each variable, by its name: what is given, else the default, else an empty one.

    Raises ``WrongVariables`` with all that is wrong: a required one that is missing, one that the template
    does not have, a value of another type. With `allow_partial` missing ones are left out of the answer.
    """
    problems = unknown_names(given, variables, "variables", "a variable")
    values: dict[str, Any] = {}
    for name, variable in variables.items():
        if name in given:
            try:
                values[name] = variable.check(given[name], f"variables.{name}")
            except TemplateProblem as problem:
                problems.append(problem)
        elif not variable.required:
            values[name] = variable.empty if variable.default is None else variable.default
        elif not allow_partial:
            problems.append(TemplateProblem(f"variables.{name}", variable.expected, "nothing"))
    if problems:
        raise WrongVariables(problems)
    return values


def unknown_names(
    given: Iterable[str], wanted: Mapping[str, Any], field: str, what: str
) -> list[TemplateProblem]:
    """A problem for each of the first names that nobody asked for."""
    strange = list(islice((name for name in given if name not in wanted), MAX_PROBLEMS))
    if not strange:
        return []
    known = ", ".join(wanted)[:300] or "none"
    return [
        TemplateProblem(f"{field}.{_shown_name(name)}", f"{what} of this prompt ({known})", "another one")
        for name in strange
    ]


def _declaration(name: Any, value: Any, field: str) -> Variable:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise TemplateProblem(field, "a name of letters, digits and _ . -, a letter first", _shown(name))
    if not isinstance(value, dict):
        raise TemplateProblem(field, 'an object such as {"type": "number"}', _shown(value))
    if strange := [member for member in value if member not in _MEMBERS]:
        raise TemplateProblem(field, f"no members but {', '.join(_MEMBERS)}", repr(strange[0])[:100])
    kind = value.get("type", "string")
    if kind not in TYPES:
        raise TemplateProblem(f"{field}.type", f"one of {', '.join(TYPES)}", _shown(kind))
    default = value.get("default")
    required = value.get("required", default is None)
    if not isinstance(required, bool):
        raise TemplateProblem(f"{field}.required", "true or false", _shown(required))
    if required and default is not None:
        raise TemplateProblem(f"{field}.required", "false where there is a default", "true")
    description = check_text(value.get("description", ""), f"{field}.description", MAX_DESCRIPTION)
    variable = Variable(name, kind, required, default, description, _values(value, kind, field))
    if default is not None:
        variable.check(default, f"{field}.default")
    return variable


def _values(value: dict[str, Any], kind: str, field: str) -> tuple[str, ...]:
    values = value.get("values")
    if kind != "enum":
        if values is not None:
            raise TemplateProblem(f"{field}.values", "no values but for an enum", _shown(values))
        return ()
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_VALUES:
        raise TemplateProblem(f"{field}.values", f"a list of 1 to {MAX_VALUES} texts", _shown(values))
    texts = tuple(check_text(one, f"{field}.values[{at}]", 1_000) for at, one in enumerate(values))
    if len(set(texts)) < len(texts):
        raise TemplateProblem(f"{field}.values", "values that differ", "one twice")
    return texts


def _check_json(value: Any, field: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TemplateProblem(field, f"at most {MAX_DEPTH} levels", "a deeper value")
    if isinstance(value, str):
        check_text(value, field, MAX_VALUE_LENGTH)
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_text(name, field, MAX_VALUE_LENGTH)
            _check_json(inner, field, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_json(inner, field, depth + 1)
    elif value is not None and not isinstance(value, bool) and not _is_number(value):
        raise TemplateProblem(field, "a JSON value with finite numbers of a usual size", _shown(value))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -(2**63) <= value < 2**64 if isinstance(value, int) else math.isfinite(value)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= 100 else f"{text[:100]}…"


def _shown_name(name: Any) -> str:
    return str(name)[:64].encode("utf-8", "replace").decode()
