"""Arguments of a prompt. MCP's are texts: each is read as its variable's type, which is described there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mcp.types import PromptArgument

from ..rendering.errors import TemplateProblem
from ..rendering.signature import MAX_VALUE_LENGTH, Variable, WrongVariables
from ..rendering.template import Template

LABEL: Final = "_label"
VERSION: Final = "_version"
_CHOICES: Final = {
    LABEL: "Use the version that this label serves. Left out: the newest.",
    VERSION: "Use the version of this number. Left out: the newest.",
}
_MESSAGES: Final = 'Messages as JSON, such as [{"role": "user", "content": "…"}]. Left out: none.'


@dataclass(frozen=True, slots=True)
class Values:
    """Arguments as `render` takes them."""

    variables: dict[str, Any] = field(default_factory=dict)
    placeholders: dict[str, Any] = field(default_factory=dict)


def describe(template: Template | None) -> list[PromptArgument]:
    """Arguments of a template: variables, placeholders, and which version to use."""
    known: dict[str, PromptArgument] = {}
    if template:
        for name, variable in template.signature.items():
            text = _description(variable, template)
            known[name] = PromptArgument(name=name, description=text, required=variable.required)
        for name in template.placeholders:
            known[name] = PromptArgument(name=name, description=_MESSAGES, required=False)
    choices = [
        PromptArgument(name=name, description=text, required=False)
        for name, text in _CHOICES.items()
        if name not in known  # a prompt's own variables come first
    ]
    return [*known.values(), *choices]


def choices(given: Mapping[str, str], template: Template | None) -> tuple[str, int | None]:
    """The label and the number that are asked for. Raises ``TemplateProblem``."""
    own = {*template.signature, *template.placeholders} if template else set()
    label, version = (given.get(name, "").strip() if name not in own else "" for name in _CHOICES)
    if label and version:
        raise TemplateProblem(f"arguments.{VERSION}", f"nothing, where {LABEL} is given", repr(version)[:64])
    if version and not (version.isascii() and version.isdecimal() and 1 <= int(version[:10]) < 2**31):
        raise TemplateProblem(f"arguments.{VERSION}", "the number of a version", repr(version)[:64])
    return label, int(version) if version else None


def read(given: Mapping[str, str], template: Template) -> Values:
    """The values of arguments, those of names that are not known as they are: `render` refuses them.

    What is optional and left empty is not given: forms send an empty text for it. A placeholder that is not
    given stands for no messages. Raises ``WrongVariables``
    with all that cannot be read.
    """
    variables, placeholders = template.signature, template.placeholders
    values = Values(placeholders={name: [] for name in placeholders})
    problems: list[TemplateProblem] = []
    for name, text in given.items():
        variable = variables.get(name)
        is_optional = name in placeholders or (variable is not None and not variable.required)
        if (name in _CHOICES and variable is None and name not in placeholders) or (is_optional and not text):
            continue
        try:
            if name in placeholders:
                values.placeholders[name] = _json(text, f"arguments.{name}", "messages as JSON")
            else:
                values.variables[name] = _value(variable, text, template.format) if variable else text
        except TemplateProblem as problem:
            problems.append(problem)
    if problems:
        raise WrongVariables(problems)
    return values


def as_arguments(problem: TemplateProblem) -> WrongVariables:
    """The same problems, of arguments: callers here know of no variables and placeholders."""
    problems = problem.problems if isinstance(problem, WrongVariables) else (problem,)
    return WrongVariables([TemplateProblem(_argument(one.field), one.expected, one.got) for one in problems])


def _argument(field: str) -> str:
    for part in ("variables.", "placeholders."):
        if field.startswith(part):
            return f"arguments.{field.removeprefix(part)}"
    return field


def _description(variable: Variable, template: Template) -> str:
    match variable.type:
        case "string":
            kind = "Text."
        case "number":
            kind = "A number."
        case "enum":
            kind = f"O{variable.expected[1:]}."  # one of …
        case "list":
            kind = 'A list of texts and numbers as JSON, such as ["a", "b"].'
        case _:
            kind = "Text, or JSON." if template.format == "jinja2" else "JSON."
    default = ""
    if variable.default is not None:
        default = f"Default: {json.dumps(variable.default, ensure_ascii=False)[:200]}."
    return " ".join(part for part in (variable.description, kind, default) if part)


def _value(variable: Variable, text: str, template_format: str) -> Any:
    field = f"arguments.{variable.name}"
    match variable.type:
        case "string" | "enum":
            return text
        case "number":
            value = _json(text, field, "a number")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TemplateProblem(field, "a number", _shown(text))
            return value
        case "list":
            return _json(text, field, "a list of texts and numbers as JSON")
        case _ if template_format == "jinja2" and not text.lstrip().startswith(("{", "[", '"')):
            return _json_or_text(text)
        case _:
            return _json(text, field, "JSON, with quotes around a text")


def _json_or_text(text: str) -> Any:
    """In Jinja what nobody declared may be anything, and is mostly a plain text."""
    try:
        return _json(text, "", "")
    except TemplateProblem:
        return text


def _json(text: str, field: str, expected: str) -> Any:
    if len(text) > MAX_VALUE_LENGTH:
        raise TemplateProblem(field, f"at most {MAX_VALUE_LENGTH:,} characters", f"{len(text):,}")
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise TemplateProblem(field, expected, _shown(text)) from None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _shown(text: str) -> str:
    return repr(text[:80]) if len(text) <= 80 else f"{text[:80]!r}…"
