"""Which prompts include a prompt: what is to be looked at before it is renamed, deleted or changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.db.models.expressions import RawSQL

from .models import Prompt, PromptVersion
from .rendering.errors import TemplateProblem
from .rendering.references import MARK, Reference

_HAS_REFERENCES: Final = "instr(prompt_versions.content, %s) > 0"


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
    has_references = RawSQL(_HAS_REFERENCES, [MARK], output_field=models.BooleanField())  # noqa: S611
    versions = (
        PromptVersion.objects.using(using)
        .kept()
        .filter(has_references, prompt__deleted_at=None)
        .exclude(prompt__name=name)
        .select_related("prompt")
        .defer("prompt__content", "prompt__metadata")
        .prefetch_related("labels")
        .order_by("prompt__name", "-version")
    )
    return [found for version in versions for found in _of_version(version, name)]


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
