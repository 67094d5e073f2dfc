"""A prompt before it is saved: its variables, what saving would refuse, and how it reads with sample values.

Nothing is written. What is looked at is what `save_prompt` looks at: the template, and all that it includes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError

from .errors import RegistryProblem
from .models import Kind, Prompt, TemplateFormat
from .rendering import messages, names, signature
from .rendering.errors import TemplateProblem
from .rendering.messages import Message
from .rendering.signature import Variable, WrongVariables
from .rendering.template import Rendered, Template, render
from .saving import check_composition
from .tokens import estimate_tokens
from .validators import validate_content

_DOUBTS: Final = 5
_UNNAMED: Final = "new"  # no prompt includes itself by it: its name is not known yet


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a prompt as somebody types them; ``variables`` is JSON that may be none."""

    name: str
    type: str
    content: str
    template_format: str = TemplateFormat.SIMPLE.value
    variables: str = "{}"


@dataclass(frozen=True, slots=True)
class Problem:
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """What looks like a variable and is none. ``line`` is None of a chat."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Used:
    """A variable with what was typed for it. One that is declared and not used is refused by saving."""

    variable: Variable
    is_declared: bool
    is_used: bool
    sample: str = ""


@dataclass(slots=True)
class Preview:
    variables: list[Used] = field(default_factory=list)
    placeholders: dict[str, str] = field(default_factory=dict)  # by name, with what was typed for it
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    rendered: Rendered | None = None

    @property
    def text(self) -> str:
        """All that comes out, of a chat without its roles."""
        if self.rendered is None:
            return ""
        contents = [message.get("content", "") for message in self.rendered.messages]
        return self.rendered.text or "\n".join(contents)

    @property
    def tokens(self) -> int:
        return estimate_tokens(self.text)


def preview(
    draft: Draft, samples: Mapping[str, str], histories: Mapping[str, str], *, using: str | None = None
) -> Preview:
    """Fill in `draft`. `samples` are values as typed, by variable; `histories` messages, by placeholder."""
    shown = Preview()
    declared = _declared(draft.variables, shown)
    prompt = Prompt(
        name=draft.name or _UNNAMED,
        type=draft.type if draft.type in Kind.values else Kind.TEXT,
        content=draft.content,
        template_format=draft.template_format,
        variables=declared,
    )
    template = _checked(prompt, shown, using)
    shown.doubts = doubts(prompt)
    try:
        used = template.signature
        placeholders = template.placeholders
    except TemplateProblem as problem:
        _tell(shown, problem)
        return shown
    shown.variables = _listed(used, declared, samples)
    shown.placeholders = {name: histories.get(name, "") for name in placeholders}
    values = _values(shown)
    conversations = _conversations(shown)
    try:
        shown.rendered = render(template, values, conversations, allow_partial=True)
    except TemplateProblem as problem:
        _tell(shown, problem)
    return shown


def doubts(prompt: Prompt) -> list[Doubt]:
    """Of a simple template; the first few are enough to see it. Saving takes them as they are."""
    if prompt.template_format != TemplateFormat.SIMPLE:
        return []
    try:
        text = prompt.text
    except TemplateProblem:  # a chat that is none is told of elsewhere
        return []
    found = names.doubtful(text, _DOUBTS)
    return [Doubt(line if prompt.type == Kind.TEXT else None, what) for line, what in found]


def _checked(prompt: Prompt, shown: Preview, using: str | None) -> Template:
    """The template with what it includes, or without where that cannot be had; problems are told."""
    try:
        validate_content(prompt.content)
        prompt.clean()
        return check_composition(prompt, using=using).template
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {"content": error.messages}
        where = _json_error(prompt.content) if prompt.type == Kind.CHAT else ""
        shown.problems += [
            Problem(name, f"{text} {where}".strip() if name == "content" else text)
            for name, texts in found.items()
            for text in texts
        ]
    except RegistryProblem as problem:
        shown.problems.append(Problem(problem.field, problem.sentence))
    return prompt.template


def _declared(text: str, shown: Preview) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
        signature.declared(value)
    except (ValueError, RecursionError):
        shown.problems.append(Problem("variables", f"Expected JSON. {_json_error(text)}".strip()))
        return {}
    except TemplateProblem as problem:
        _tell(shown, problem)
        return {}
    return dict(value)


def _json_error(text: str) -> str:
    """Where a text stops to be JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"Line {error.lineno}, column {error.colno}: {error.msg}."
    except (ValueError, RecursionError):
        return ""
    return ""


def _listed(
    used: Mapping[str, Variable], declared: Mapping[str, Any], samples: Mapping[str, str]
) -> list[Used]:
    rows = [Used(one, name in declared, True, samples.get(name, "")) for name, one in used.items()]
    unused = {name: one for name, one in signature.declared(declared).items() if name not in used}
    return rows + [Used(one, True, False) for one in unused.values()]


def _values(shown: Preview) -> dict[str, Any]:
    """The samples that fit; of the others it is told what does not."""
    values: dict[str, Any] = {}
    for row in shown.variables:
        if row.is_used and row.sample:
            name = row.variable.name
            try:
                values[name] = row.variable.check(sample(row.variable, row.sample), f"variables.{name}")
            except TemplateProblem as problem:
                _tell(shown, problem)
    return values


def sample(variable: Variable, text: str) -> Any:
    """What somebody means who types `text` for the variable: of a list one a line, else JSON or a text."""
    if variable.type in ("string", "enum"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.splitlines() if variable.type == "list" else text


def _conversations(shown: Preview) -> dict[str, Sequence[Message]]:
    found: dict[str, Sequence[Message]] = {}
    for name, text in shown.placeholders.items():
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = [{"role": "user", "content": text}]
        try:
            where = f"placeholders.{name}"
            found[name] = [] if value == [] else messages.check(value, where, with_placeholders=False)
        except TemplateProblem as problem:
            _tell(shown, problem)
    return found


def _tell(shown: Preview, problem: TemplateProblem) -> None:
    problems = problem.problems if isinstance(problem, WrongVariables) else (problem,)
    for one in problems:
        told = Problem(one.field, f"Expected {one.expected}, got {one.got}.")
        if not any(known.text.startswith(told.text) for known in shown.problems):
            shown.problems.append(told)
