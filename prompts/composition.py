"""Composition: a prompt that includes others, with all of them put in their places.

References are followed level by level, so that a prompt with many of them costs few queries. A prompt may not
come up again within itself, in any version: what a label serves changes, and a circle would close some day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q
from django.db.models.functions import Length

from .errors import CompositionProblem
from .models import LATEST, Kind, Prompt, PromptLabel, PromptVersion
from .rendering import messages, references
from .rendering.messages import Message
from .rendering.references import Reference
from .rendering.template import Template

MAX_DEPTH: Final = 5
MAX_PARTS: Final = 500  # different prompts included, in all levels together
MAX_LENGTH: Final = 1_000_000  # characters once everything is in its place
# Characters that are read for it. Chats are longer as they are stored, the more so the more they escape.
MAX_READ: Final = 4 * MAX_LENGTH


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


class Missing(CompositionProblem):
    """Something that is included is not there."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        super().__init__(
            "content",
            "included prompts that exist",
            f"{reference}, which does not",
            "Create it, or give it that label.",
        )


def part_of(name: str, kind: str, version: PromptVersion) -> Part:
    return Part(version.pk, name, version.version, version.template_of(kind))


def compose(
    root: Part, *, instead: Mapping[Reference, Part | None] | None = None, using: str | None = None
) -> Composition:
    """`root` with everything that it includes in its place. Raises ``CompositionProblem``.

    References lead to where they are stored to lead, or `instead` to what is given for them: None is nowhere.
    """
    if not root.template.references:
        return Composition(root, root.template)
    parts = _collect(root, instead or {}, using)
    _check_nesting(root, parts)
    return Composition(root, _Assembly(root, parts).template(), parts)


def _collect(
    root: Part, instead: Mapping[Reference, Part | None], using: str | None
) -> dict[Reference, Part]:
    parts: dict[Reference, Part] = {}
    wanted = root.template.references
    read = 0
    for _ in range(MAX_DEPTH):
        if (total := len(parts) + len(wanted)) > MAX_PARTS:
            raise CompositionProblem("content", f"at most {MAX_PARTS} included prompts", f"{total:,}")
        known = {one: instead[one] for one in wanted if one in instead}
        found = find_parts([one for one in wanted if one not in known], using, MAX_READ - read)
        found |= {one: part for one, part in known.items() if part is not None}
        read += sum(len(part.template.content) for part in found.values())
        for reference in wanted:
            if reference not in found:
                raise Missing(reference)
        parts |= found
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


def find_parts(
    wanted: Sequence[Reference], using: str | None = None, most: int = MAX_READ
) -> dict[Reference, Part]:
    """Where references lead now; those that lead nowhere are left out. Four queries at most. Raises
    ``CompositionProblem`` where that is more than `most` characters.
    """
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
    numbers: dict[Reference, tuple[str, int]] = {}
    ids: dict[Reference, str] = {}
    for one in wanted:
        prompt = prompts.get(one.name)
        if prompt and one.label in ("", LATEST):
            numbers[one] = (prompt.pk, one.version or prompt.version)
        elif prompt and (key := labels.get((prompt.pk, one.label))):
            ids[one] = key
    # Without the contents: of some prompts these are versions that only others are wanted of.
    lengths = (
        PromptVersion.objects.using(using)
        .kept()
        .filter(
            Q(pk__in=ids.values())
            | Q(prompt__in={key for key, _ in numbers.values()}, version__in={n for _, n in numbers.values()})
        )
        .order_by()
        .values_list("pk", "prompt", "version", Length("content"))
    )
    length_of: dict[str, int] = {}
    by_number: dict[tuple[str, int], str] = {}
    for key, prompt_id, number, length in lengths:
        by_number[prompt_id, number], length_of[key] = key, length
    ids = {one: key for one, key in ids.items() if key in length_of}
    ids |= {one: by_number[number] for one, number in numbers.items() if number in by_number}
    if sum(length_of[key] for key in set(ids.values())) > most:
        raise _too_long()
    versions = PromptVersion.objects.using(using).order_by().in_bulk(set(ids.values()))
    return {
        one: part_of(one.name, prompts[one.name].type, versions[key])
        for one, key in ids.items()
        if key in versions
    }


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
        if len(above) == MAX_DEPTH:
            raise _too_deep()
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
        if references.MARK not in text:
            return text
        length = len(text)
        for reference, times in references.count(text).items():
            if reference not in self.texts:
                self.texts[reference] = self.fill(self.text_of(reference))
            length += times * len(self.texts[reference])
            if length > MAX_LENGTH:  # before others are filled in, which may be as long
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
