"""Which prompts include a prompt: what is to be looked at before it is renamed, deleted or changed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.db.models.expressions import RawSQL

from .composition import MAX_DEPTH, Part, compose, part_of
from .errors import CompositionProblem, Refused
from .models import Prompt, PromptLabel, PromptVersion
from .rendering.errors import TemplateProblem
from .rendering.references import MARK, Reference

MAX_CHECKED: Final = 200  # versions that are composed anew when what they include changes
# Whether a content includes anything: as the indexes of `prompts.database` say it, or they are of no use.
_INCLUDES_ANY: Final = f"(instr({{table}}.content, '{MARK}') > 0)"
# The name as it stands in a text, or in a chat's JSON, where plain SQL may have escaped any letter of it.
_NAMES: Final = (
    "(instr({table}.content, %s) > 0 OR instr({table}.content, %s) > 0 OR instr({table}.content, '\\u') > 0)"
)


@dataclass(frozen=True, slots=True)
class Dependant:
    """A version of another prompt, and what it includes; ``labels`` serve that version now."""

    name: str
    version: int
    is_latest: bool
    labels: tuple[str, ...]
    reference: Reference

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "is_latest": self.is_latest,
            "labels": list(self.labels),
            "label": self.reference.label or None,
            "referenced_version": self.reference.version or None,
        }


def find_dependants(name: str, *, using: str | None = None) -> list[Dependant]:
    """Kept versions of other prompts that include the prompt `name`, by name, the newest version first.

    Found in the contents themselves: so what plain SQL wrote or a merge brought over counts as well.
    """
    versions = (
        PromptVersion.objects.using(using)
        .kept()
        .filter(*_includes("prompt_versions", name), prompt__deleted_at=None)
        .exclude(prompt__name=name)
        .select_related("prompt")
        .defer("prompt__content", "prompt__metadata")
        .prefetch_related("labels")
        .order_by("prompt__name", "-version")
    )
    return [found for version in versions for found in _of_version(version, name)]


def find_live_dependants(
    names: Sequence[str], *, limit: int = MAX_CHECKED, using: str | None = None
) -> tuple[list[Dependant], bool]:
    """What includes any of these prompts now: versions of others that are the newest, or that labels serve;
    and whether these are all. At most `limit` versions are read, in two queries.
    """
    may_name = models.Q(pk__in=[])
    for name in names:
        may_name |= models.Q(_includes("prompt_versions", name)[1])
    is_live = models.Q(version=models.F("prompt__version")) | models.Exists(
        PromptLabel.objects.using(using).filter(version=models.OuterRef("pk"))
    )
    versions = (
        PromptVersion.objects.using(using)
        .kept()
        .filter(_includes_any("prompt_versions"), may_name, is_live, prompt__deleted_at=None)
        .select_related("prompt")
        .defer("prompt__content", "prompt__metadata")
        .prefetch_related("labels")
        .order_by("prompt__name", "-version")
    )
    read = list(versions[: limit + 1])
    found = [
        dependant
        for version in read[:limit]
        for name in names
        if version.prompt.name != name
        for dependant in _of_version(version, name)
    ]
    return found, len(read) <= limit


def check_dependants(name: str, before: Mapping[Reference, Part], *, using: str | None = None) -> None:
    """Refuse a change after which what applications read could not be composed any more, and could before.

    To be called once it is made, in its transaction: `before` is where references to the prompt `name` led
    that lead elsewhere now. Looks at the versions that are the newest or have labels, at those that include
    them, and so on; at the first ``MAX_CHECKED``. Raises ``Refused``.
    """
    seen: dict[str, Part] = {}
    names = [name]
    for level in range(MAX_DEPTH):
        found: list[Part] = []
        for one in names:
            for part in _live(one, using):
                is_affected = level > 0 or not before.keys().isdisjoint(part.template.references)
                if is_affected and part.id not in seen and len(seen) < MAX_CHECKED:
                    seen[part.id] = part
                    found.append(part)
                    _check(part, name, before, using)
        names = list(dict.fromkeys(part.name for part in found))


def _check(part: Part, name: str, before: Mapping[Reference, Part], using: str | None) -> None:
    problem = problem_of(part, {}, using)
    if problem and problem_of(part, before, using) is None:
        raise Refused(
            "content",
            f"a version of {name} with which {part} can still be composed",
            f"one with which it fails: expected {problem.expected}, got {problem.got}",
            f"Change {part.name} first, or have it include a version of {name} by its number.",
        )


def problem_of(
    part: Part, instead: Mapping[Reference, Part | None], using: str | None
) -> CompositionProblem | TemplateProblem | None:
    """Why a version cannot be composed, with references that lead elsewhere `instead`."""
    try:
        compose(part, instead=instead, using=using).template.check_names()
    except (CompositionProblem, TemplateProblem) as problem:
        return problem
    return None


def _live(name: str, using: str | None) -> Iterator[Part]:
    """Versions of other prompts that include the prompt `name`, and are the newest or have labels."""
    newest = Prompt.objects.using(using).filter(*_includes("prompts", name)).order_by("name")
    for prompt in newest.exclude(name=name)[:MAX_CHECKED]:
        part = Part(f"{prompt.pk} {prompt.version}", prompt.name, prompt.version, prompt.template)
        if _names(part, name):
            yield part
    labels = PromptLabel.objects.using(using).filter(prompt__deleted_at=None).exclude(prompt__name=name)
    served = PromptVersion.objects.using(using).filter(pk__in=labels.values("version"))
    versions = served.filter(*_includes("prompt_versions", name)).exclude(version=models.F("prompt__version"))
    for version in versions.select_related("prompt").order_by("prompt__name", "version")[:MAX_CHECKED]:
        part = part_of(version.prompt.name, version.prompt.type, version)
        if _names(part, name):
            yield part


def _names(part: Part, name: str) -> bool:
    try:
        return any(one.name == name for one in part.template.references)
    except TemplateProblem:  # written with plain SQL
        return False


def iterate_including(using: str) -> Iterator[Part]:
    """All versions that include something, and are the newest or have labels."""
    newest = Prompt.objects.using(using).filter(_includes_any("prompts")).order_by("name")
    for prompt in newest:
        yield Part(f"{prompt.pk} {prompt.version}", prompt.name, prompt.version, prompt.template)
    labels = PromptLabel.objects.using(using).filter(prompt__deleted_at=None)
    served = PromptVersion.objects.using(using).filter(pk__in=labels.values("version"))
    versions = served.filter(_includes_any("prompt_versions")).exclude(version=models.F("prompt__version"))
    for version in versions.select_related("prompt").order_by("prompt__name", "version"):
        yield part_of(version.prompt.name, version.prompt.type, version)


def _includes(table: str, name: str) -> tuple[RawSQL, RawSQL]:
    """Whether the content of a row may include the prompt: told by the database, which reads those that
    include anything.
    """
    params = [name, json.dumps(name, ensure_ascii=False)[1:-1]]
    may_name = RawSQL(_NAMES.format(table=table), params, output_field=models.BooleanField())  # noqa: S611
    return _includes_any(table), may_name


def _includes_any(table: str) -> RawSQL:
    return RawSQL(_INCLUDES_ANY.format(table=table), [], output_field=models.BooleanField())  # noqa: S611


def _of_version(version: PromptVersion, name: str) -> Iterator[Dependant]:
    prompt: Prompt = version.prompt
    try:
        found = version.template_of(prompt.type).references
    except TemplateProblem:  # written with plain SQL; it can include nothing
        return
    labels = tuple(sorted(label.name for label in version.labels.all()))
    for reference in found:
        if reference.name == name:
            yield Dependant(
                prompt.name, version.version, version.version == prompt.version, labels, reference
            )
