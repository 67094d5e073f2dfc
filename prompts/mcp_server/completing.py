"""What an argument may be, as it is typed: values of an enum, labels, versions, names of prompts."""

from collections.abc import Sequence
from typing import Final

from mcp.types import (
    CompleteRequestParams,
    CompleteResult,
    Completion,
    CompletionArgument,
    PromptReference,
)

from ..errors import NotThere
from ..models import PromptVersion
from ..serving.reading import Served
from . import arguments, finding
from .listing import TEMPLATE

MAX: Final = 100  # of the protocol


def complete(params: CompleteRequestParams) -> CompleteResult:
    """Values for the argument; none where any value may do. Raises ``NotThere``."""
    argument = params.argument
    if isinstance(params.ref, PromptReference):
        return _result(_matching(_values(finding.find(params.ref.name), argument), argument.value))
    if params.ref.uri != TEMPLATE:
        raise NotThere("ref.uri", TEMPLATE, repr(params.ref.uri[:100]))
    names = finding.names_with(argument.value, MAX + 1) if argument.name == "name" else []
    return CompleteResult(completion=Completion(values=names[:MAX], total=None, has_more=len(names) > MAX))


def _values(served: Served, argument: CompletionArgument) -> Sequence[str]:
    composition = finding.composed(served)
    own = composition.template.signature if composition else {}
    if variable := own.get(argument.name):
        return variable.values
    if argument.name == arguments.LABEL:
        return sorted(served.labels)
    if argument.name == arguments.VERSION:
        versions = PromptVersion.objects.kept().filter(prompt=served.id).order_by("-version")
        return [str(number) for number in versions.values_list("version", flat=True)]
    return []


def _matching(values: Sequence[str], typed: str) -> list[str]:
    """Those that begin with what is typed, then those that have it somewhere; in any case of letters."""
    typed = typed.lower()
    found = [value for value in values if typed in value.lower()]
    return sorted(found, key=lambda value: not value.lower().startswith(typed))


def _result(values: list[str]) -> CompleteResult:
    completion = Completion(values=values[:MAX], total=len(values), has_more=len(values) > MAX)
    return CompleteResult(completion=completion)
