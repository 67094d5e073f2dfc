"""Prompts and resources as lists."""

from typing import Final
from urllib.parse import quote

from mcp.types import (
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    Prompt,
    Resource,
    ResourceTemplate,
)

from ..serving.reading import Served
from . import arguments, finding

URI: Final = "afn://prompts/"
TEMPLATE: Final = f"{URI}{{name}}"


def list_prompts(cursor: str | None) -> ListPromptsResult:
    """A page of prompts with the arguments of their newest versions. Raises ``RegistryProblem``."""
    found, after = finding.page(cursor)
    return ListPromptsResult(prompts=[_prompt(served) for served in found], next_cursor=after)


def list_resources(cursor: str | None) -> ListResourcesResult:
    """The same prompts as texts to be read."""
    found, after = finding.page(cursor)
    return ListResourcesResult(resources=[_resource(served) for served in found], next_cursor=after)


def list_templates() -> ListResourceTemplatesResult:
    template = ResourceTemplate(
        uri_template=TEMPLATE,
        name="prompt",
        title="A prompt as it is written",
        description="The newest version with all that it includes, its variables not filled in.",
    )
    return ListResourceTemplatesResult(resource_templates=[template])


def mime_type(served: Served) -> str:
    return "application/json" if served.type == "chat" else "text/plain"


def _prompt(served: Served) -> Prompt:
    composition = finding.composed(served)
    return Prompt(
        name=served.name,
        title=served.title or None,
        description=_description(served),
        arguments=arguments.describe(composition.template if composition else None),
    )


def _resource(served: Served) -> Resource:
    return Resource(
        uri=URI + quote(served.name, safe=""),
        name=served.name,
        title=served.title or None,
        description=_description(served),
        mime_type=mime_type(served),
    )


def _description(served: Served) -> str:
    """What the prompt's metadata say in `description`, else what it is."""
    text = served.metadata.get("description")
    if isinstance(text, str) and text.strip():
        return text.strip()[:1_000]
    tags = f" Tags: {', '.join(served.tags)}." if served.tags else ""
    kind = "chat" if served.type == "chat" else "text"
    state = "draft" if served.status == "draft" else "prompt"
    return f"A {kind} {state}, version {served.version} ({', '.join(served.own_labels)}).{tags}"
