"""One prompt, filled in, as messages of MCP."""

from collections.abc import Mapping
from typing import Any, Final

from mcp.types import GetPromptResult, PromptMessage, Role, TextContent

from ..errors import NotThere
from ..rendering.errors import TemplateProblem
from ..rendering.messages import Message
from ..rendering.names import check_text
from ..rendering.template import render
from ..serving import reading
from ..serving.reading import Served
from . import arguments, finding

ROLE: Final = "afn/role"
_MAX_LABEL: Final = 36


def get(name: str, given: Mapping[str, str]) -> GetPromptResult:
    """The newest version, or the one that `_label` or `_version` names, with its variables filled in.

    Raises ``NotThere``, ``Unresolvable`` or a ``TemplateProblem`` whose fields are arguments.
    """
    served = _chosen(finding.find(name), given)
    template = served.compose().template
    try:
        values = arguments.read(given, template)
        rendered = render(template, values.variables, values.placeholders)
    except TemplateProblem as problem:
        raise arguments.as_arguments(problem) from problem
    messages = rendered.messages if served.type == "chat" else [{"role": "user", "content": rendered.text}]
    meta = {"afn/version": served.version, "afn/labels": served.own_labels, "afn/config": served.config}
    return GetPromptResult(
        description=served.title or None, messages=[_message(one) for one in messages], _meta=meta
    )


def _chosen(newest: Served, given: Mapping[str, str]) -> Served:
    composition = finding.composed(newest)
    label, version = arguments.choices(given, composition.template if composition else None)
    if not label and version is None:
        return newest
    try:
        label = check_text(label, arguments.LABEL, _MAX_LABEL)
        return reading.read(newest.id, version=version, label=label)
    except NotThere as problem:
        raise NotThere(f"arguments._{problem.field}", problem.expected, problem.got) from problem


def _message(message: Message) -> PromptMessage:
    """MCP knows two roles. Whatever is not the assistant's is for it to read, so the user says it; which role
    it had stands in the content's ``_meta``.
    """
    role: Role = "assistant" if message["role"] == "assistant" else "user"
    meta: dict[str, Any] | None = None if message["role"] == role else {ROLE: message["role"]}
    return PromptMessage(role=role, content=TextContent(text=message["content"], _meta=meta))
