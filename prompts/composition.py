"""Composition: a prompt that includes others, with all of them put in their places.

References are followed level by level, so that a prompt with many of them costs few queries. A prompt may not
come up again within itself, in any version: what a label serves changes, and a circle would close some day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q

from .errors import CompositionProblem
from .models import LATEST, Kind, Prompt, PromptLabel, PromptVersion
from .rendering import messages, references
from .rendering.messages import Message
from .rendering.references import Reference
from .rendering.template import Template

MAX_DEPTH: Final = 5
MAX_PARTS: Final = 500  # different prompts included, in all levels together
MAX_LENGTH: Final = 1_000_000  # characters once everything is in its place


@dataclass(frozen=True, slots=True)
class Part:
    """One version of a prompt within a composition. ``id`` is the version's, empty before it has one."""

    id: str
    name: str
    version: int
    template: Template

    def __str__(self) -> str:
        return f"{self.name} v{self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class Composition:
    """``template`` includes nothing any more; ``parts`` is what was included in all levels, by reference."""

    root: Part
    template: Template
    parts: Mapping[Reference, Part] = field(default_factory=dict)

    @property
    def graph(self) -> dict[str, Any] | None:
        """What includes what, in the form of Langfuse; None where nothing is included."""
        if not self.parts:
            return None
        nodes = {part.id: part for part in [self.root, *self.parts.values()]}
        return {
            "root": _node(self.root),
            "dependencies": {
                key: [_node(self.parts[one]) for one in part.template.references]
                for key, part in nodes.items()
                if part.template.references
            },
        }


def part_of(name: str, kind: str, version: PromptVersion) -> Part:
    return Part(version.pk, name, version.version, version.template_of(kind))


def compose(root: Part, *, using: str | None = None) -> Composition:
    """`root` with everything that it includes in its place. Raises ``CompositionProblem``."""
    if not root.template.references:
        return Composition(root, root.template)
    parts = _collect(root, using)
    _check_nesting(root, parts)
    return Composition(root, _Assembly(root, parts).template(), parts)


def _collect(root: Part, using: str | None) -> dict[Reference, Part]:
    parts: dict[Reference, Part] = {}
    wanted = root.template.references
    for _ in range(MAX_DEPTH):
        found = find_parts([one for one in wanted if one not in parts], using)
        for reference in wanted:
            if reference not in parts and reference not in found:
                raise CompositionProblem(
                    "content",
                    "included prompts that exist",
                    f"{reference}, which does not",
                    "Create it, or give it that label.",
                )
        parts |= found
        if len(parts) > MAX_PARTS:
            raise CompositionProblem("content", f"at most {MAX_PARTS} included prompts", str(len(parts)))
        for reference, part in found.items():
            _check_fit(root, reference, part)
        inner = [one for part in found.values() for one in part.template.references]
        wanted = [one for one in dict.fromkeys(inner) if one not in parts]
        if not wanted:
            return parts
    raise _too_deep()


def _check_fit(root: Part, reference: Reference, part: Part) -> None:
    if part.name == root.name:
        raise CompositionProblem("content", "no prompt that includes itself", f"{reference} within {root}")
    if part.template.format != root.template.format:
        raise CompositionProblem(
            "content",
            f"included prompts of the template format {root.template.format}",
            f"{reference} of the format {part.template.format}",
        )


def find_parts(wanted: Sequence[Reference], using: str | None = None) -> dict[Reference, Part]:
    """Where references lead now; those that lead nowhere are left out. Three queries at most."""
    if not wanted:
        return {}
    prompts = {
        prompt.name: prompt
        for prompt in Prompt.objects.using(using)
        .filter(name__in={one.name for one in wanted})
        .only("name", "type", "version")
        .order_by()
    }
    labels = _served(wanted, prompts, using)
    numbers = {(prompts[one.name].pk, one.version) for one in wanted if one.version and one.name in prompts}
    numbers |= {(prompt.pk, prompt.version) for prompt in prompts.values()}
    rows = (
        PromptVersion.objects.using(using)
        .kept()
        .filter(
            Q(pk__in=labels.values())
            | Q(prompt__in={key for key, _ in numbers}, version__in={number for _, number in numbers})
        )
        .order_by()
    )
    by_id: dict[str, PromptVersion] = {}
    by_number: dict[tuple[str, int], PromptVersion] = {}
    for row in rows:
        by_id[row.pk] = by_number[row.prompt_id, row.version] = row
    found: dict[Reference, Part] = {}
    for one in wanted:
        prompt = prompts.get(one.name)
        if prompt is None:
            continue
        if one.label and one.label != LATEST:
            version = by_id.get(labels.get((prompt.pk, one.label), ""))
        else:
            version = by_number.get((prompt.pk, one.version or prompt.version))
        if version:
            found[one] = part_of(one.name, prompt.type, version)
    return found


def _served(
    wanted: Sequence[Reference], prompts: Mapping[str, Prompt], using: str | None
) -> dict[tuple[str, str], str]:
    """Ids of versions by prompt and label."""
    names = {one.label for one in wanted if one.label and one.label != LATEST}
    if not names:
        return {}
    rows = PromptLabel.objects.using(using).filter(
        prompt__in=[prompt.pk for prompt in prompts.values()], name__in=names
    )
    return {
        (prompt, name): version for prompt, name, version in rows.values_list("prompt", "name", "version")
    }


def _check_nesting(root: Part, parts: Mapping[Reference, Part]) -> None:
    """No circle, which versions may have closed that were saved before, and no path that is too long."""
    heights: dict[str, int] = {}

    def height(part: Part, above: tuple[str, ...]) -> int:
        if part.id in above:
            raise CompositionProblem(
                "content", "prompts that do not include each other", f"{part} in a circle"
            )
        if part.id not in heights:
            inner = [height(parts[one], (*above, part.id)) for one in part.template.references]
            heights[part.id] = 1 + max(inner, default=0)
        return heights[part.id]

    if max(height(parts[one], ()) for one in root.template.references) > MAX_DEPTH:
        raise _too_deep()


@dataclass(slots=True)
class _Assembly:
    root: Part
    parts: Mapping[Reference, Part]
    texts: dict[Reference, str] = field(default_factory=dict)
    length: int = 0  # of the messages so far

    def template(self) -> Template:
        root = self.root.template
        if root.type == Kind.TEXT:
            content = self.fill(root.content)
        else:
            content = messages.dump(self.conversation(self.root))
        return Template(root.type, content, root.format, self.declarations())

    def declarations(self) -> dict[str, Any]:
        """Of all parts, the outer before the inner: who includes a prompt may declare its variables anew."""
        merged: dict[str, Any] = {}
        for part in [self.root, *self.parts.values()]:
            merged = {**part.template.variables, **merged}
        return merged

    def conversation(self, part: Part) -> list[Message]:
        """A message that is nothing but a reference to a chat gives way to the messages of that chat."""
        entries: list[Message] = []
        for message in part.template.messages:
            if messages.is_placeholder(message):
                entries.append(message)
                continue
            reference = references.whole(message["content"])
            if reference and self.parts[reference].template.type == Kind.CHAT:
                entries += self.conversation(self.parts[reference])
            else:
                content = self.fill(message["content"])
                self.length += len(content)
                if self.length > MAX_LENGTH:
                    raise _too_long()
                entries.append({"role": message["role"], "content": content})
            if len(entries) > messages.MAX_MESSAGES:
                raise CompositionProblem(
                    "content", f"at most {messages.MAX_MESSAGES} messages in all", "more"
                )
        return entries

    def fill(self, text: str) -> str:
        wanted = references.references(text)
        if not wanted:
            return text
        for reference in wanted:
            if reference not in self.texts:
                self.texts[reference] = self.fill(self.text_of(reference))
        if len(text) + references.growth(text, self.texts) > MAX_LENGTH:
            raise _too_long()
        return references.replace(text, self.texts.__getitem__)

    def text_of(self, reference: Reference) -> str:
        template = self.parts[reference].template
        if template.type == Kind.CHAT:
            raise CompositionProblem(
                "content",
                "a text prompt within a text",
                f"the chat {reference}",
                "A chat can only be included by a message of nothing but the reference.",
            )
        return template.content


def _too_deep() -> CompositionProblem:
    return CompositionProblem("content", f"at most {MAX_DEPTH} levels of included prompts", "more")


def _too_long() -> CompositionProblem:
    return CompositionProblem("content", f"at most {MAX_LENGTH:,} characters in all", "more")


def _node(part: Part) -> dict[str, Any]:
    return {"name": part.name, "version": part.version, "id": part.id}
