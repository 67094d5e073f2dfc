"""What a version of a prompt holds as a template: checked, asked for its variables, and filled in.

Nothing here knows a database. Composition is resolved before (`prompts.composition`), so a template that is
rendered includes nothing any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from . import jinja, messages, names, references, signature
from .errors import TemplateProblem
from .messages import Message
from .signature import Variable, WrongVariables

Format = Literal["simple", "jinja2"]
MAX_OUTPUT: Final = 1_000_000  # characters of what comes out
_MAX_KEPT: Final = 20_000  # characters of templates whose names are remembered


@dataclass(frozen=True, slots=True)
class Template:
    """``content`` is the text, or of a chat prompt that of its messages (`messages.dump`)."""

    type: Literal["text", "chat"]
    content: str
    format: Format = "simple"
    variables: Mapping[str, Any] = field(default_factory=dict)  # what is declared, as JSON

    @property
    def messages(self) -> list[Message]:
        return messages.parse(self.content) if self.type == "chat" else []

    @property
    def texts(self) -> list[str]:
        """Where variables and references may stand: the text, or the contents of the messages."""
        if self.type == "text":
            return [self.content]
        return [message["content"] for message in self.messages if not messages.is_placeholder(message)]

    @property
    def placeholders(self) -> list[str]:
        return messages.placeholders(self.messages)

    @property
    def references(self) -> list[references.Reference]:
        return references.of_contents(self.texts) if references.MARK in self.content else []

    @property
    def signature(self) -> dict[str, Variable]:
        """The variables that it uses itself, not those of what it includes. Raises ``TemplateProblem``."""
        declarations = signature.declared(self.variables)
        if self.format == "jinja2":
            return signature.signature(_jinja_names(self.texts), declarations, "json")
        used = dict.fromkeys(name for text in self.texts for name in names.variables(text))
        return signature.signature(list(used), declarations, "string")

    @property
    def declared(self) -> dict[str, Any]:
        """The declarations, without those that say what is inferred anyway. Raises ``TemplateProblem``."""
        inferred: signature.Type = "json" if self.format == "jinja2" else "string"
        known = signature.declared(self.variables)
        return {name: one for name, one in self.variables.items() if known[name] != Variable(name, inferred)}

    def check(self) -> None:
        """Raises ``TemplateProblem`` where it could never be rendered, or a declaration is of no use.

        Declarations of variables that are not used here may be for what it includes; whether they are is
        known once that is resolved.
        """
        self.check_names()
        used = self.signature
        unused = [name for name in self.variables if name not in used]
        if not self.references and unused:
            raise TemplateProblem(
                f"variables.{unused[0]}", "a variable that the content uses", "one that it does not"
            )

    def check_names(self) -> None:
        """Raises ``TemplateProblem`` where it could never be rendered."""
        used = self.signature
        if len(used) > signature.MAX_VARIABLES:
            raise TemplateProblem("content", f"at most {signature.MAX_VARIABLES} variables", str(len(used)))
        if both := [name for name in self.placeholders if name in used]:
            raise TemplateProblem(
                "content", "different names for variables and placeholders", f"{both[0]} as both"
            )


@dataclass(frozen=True, slots=True)
class Rendered:
    """``messages`` of a chat prompt, else ``text``; ``missing`` are the names that were left as they were."""

    text: str
    messages: list[Message]
    missing: list[str]


def render(
    template: Template,
    variables: Mapping[str, Any],
    placeholders: Mapping[str, Any] | None = None,
    *,
    allow_partial: bool = False,
) -> Rendered:
    """Fill in a template. Raises ``WrongVariables`` or another ``TemplateProblem``.

    Values are put in as they are: neither they nor the messages of placeholders are templates.
    """
    used = template.signature
    problems: list[TemplateProblem] = []
    history: dict[str, list[Message]] = {}
    values: dict[str, Any] = {}
    try:
        values = signature.bind(used, variables, allow_partial=allow_partial)
    except WrongVariables as wrong:
        problems += wrong.problems
    try:
        history = _history(template.placeholders, placeholders or {}, allow_partial)
    except WrongVariables as wrong:
        problems += wrong.problems
    if problems:
        raise WrongVariables(problems)
    texts = _fill(template, used, values, allow_partial)
    missing = [name for name in used if name not in values]
    missing += [name for name in template.placeholders if name not in history]
    if template.type == "text":
        return Rendered(_bounded(texts)[0], [], missing)
    filled = iter(texts)
    answer: list[Message] = []
    for message in template.messages:
        if not messages.is_placeholder(message):
            answer.append({"role": message["role"], "content": next(filled)})
        elif message["name"] in history:
            answer += history[message["name"]]
        else:
            answer.append(message)
    _bounded([message.get("content", "") for message in answer])
    return Rendered("", answer, missing)


def _fill(
    template: Template, used: Mapping[str, Variable], values: Mapping[str, Any], allow_partial: bool
) -> list[str]:
    texts = template.texts
    if template.format == "jinja2":
        return jinja.render(texts, values, allow_partial=allow_partial)
    shown = {name: used[name].text(value) for name, value in values.items()}
    _check_growth(texts, shown)
    return [names.substitute(text, shown) for text in texts]


def _check_growth(texts: Sequence[str], values: Mapping[str, str]) -> None:
    """A long value that a template uses often is refused before it is written out as often."""
    total = sum(map(len, texts))
    for text in texts:
        for name, count in names.count(text).items():
            total += count * len(values.get(name, ""))
    if total > MAX_OUTPUT + sum(map(len, texts)):
        raise _too_long()


def _bounded(texts: Sequence[str]) -> Sequence[str]:
    if sum(map(len, texts)) > MAX_OUTPUT:
        raise _too_long()
    return texts


def _too_long() -> TemplateProblem:
    return TemplateProblem("variables", f"values that make at most {MAX_OUTPUT:,} characters", "more")


def _history(
    wanted: Sequence[str], given: Mapping[str, Any], allow_partial: bool
) -> dict[str, list[Message]]:
    problems = signature.unknown_names(given, dict.fromkeys(wanted), "placeholders", "a placeholder")
    history: dict[str, list[Message]] = {}
    for name in wanted:
        if name not in given:
            if not allow_partial:
                problems.append(TemplateProblem(f"placeholders.{name}", "a list of messages", "nothing"))
            continue
        value = given[name]
        try:
            history[name] = _conversation(value, f"placeholders.{name}")
        except TemplateProblem as problem:
            problems.append(problem)
    if problems:
        raise WrongVariables(problems)
    return history


def _conversation(value: Any, field: str) -> list[Message]:
    """Messages, or none at all: it may not have begun."""
    return [] if value == [] else messages.check(value, field, with_placeholders=False)


def _jinja_names(texts: Sequence[str]) -> Sequence[str]:
    """Asked of another process, and of the same templates again and again: those of a usual length are
    remembered.
    """
    return (_known_names if sum(map(len, texts)) <= _MAX_KEPT else jinja.analyse)(tuple(texts))


@lru_cache(maxsize=1_024)
def _known_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(jinja.analyse(texts))
