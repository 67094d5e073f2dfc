"""Saving a prompt as people and applications mean it: checked with all that it includes, labels and all."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction

from .changes import changed_fields
from .composition import Composition, Part, compose
from .dependants import check_dependants, find_dependants
from .errors import NotThere, Refused, RegistryProblem
from .events import Event, tell
from .labels import move_label
from .models import LATEST, VERSIONED, Prompt, Status, User
from .rendering.errors import TemplateProblem
from .rendering.references import Reference
from .validators import validate_text

MAX_MESSAGE = 10_000


@dataclass(frozen=True, slots=True)
class Saved:
    """The version that the prompt has now; ``is_new`` is false where its payload was identical."""

    version: int
    is_new: bool


def save_prompt(
    prompt: Prompt,
    *,
    author: User | None,
    message: str = "",
    labels: Sequence[str] = (),
    base_version: int | None = None,
    using: str | None = None,
) -> Saved:
    """Check and save, all or nothing, and have `labels` serve the version.

    With `base_version`, ``Refused`` where the newest version is another one: somebody was faster. Raises
    ``ValidationError`` by field, or a ``RegistryProblem`` such as ``CompositionProblem``.
    """
    alias = using or router.db_for_write(Prompt, instance=prompt)
    _check_message(message)
    with transaction.atomic(using=alias):
        stored = None
        if not prompt._state.adding:
            stored = Prompt.objects.using(alias).filter(pk=prompt.pk).first()
            if stored is None:  # deleted meanwhile: it must not go on in the trash
                raise NotThere("prompt", "a prompt that is there", f"{prompt.name}, which was deleted")
        if base_version is not None and base_version != (stored.version if stored else 0):
            newest = f"version {stored.version}" if stored else "a new prompt"
            raise Refused("base_version", f"version {base_version} to be the newest", newest)
        prompt.full_clean()
        check_composition(prompt, using=alias)
        check_rename(prompt, using=alias)
        before = stored.version if stored else 0
        prompt.save(using=alias, author=author, message=message)
        is_new = prompt.version != before
        if stored and is_new:
            check_newest(prompt, stored, using=alias)
        tell_saved(prompt, stored, author, alias)
        for label in dict.fromkeys(labels):
            if label != LATEST:
                move_label(prompt, label, prompt.version, actor=author, reason=message[:2_000], using=alias)
    return Saved(prompt.version, is_new)


def check_newest(prompt: Prompt, stored: Prompt, *, using: str | None = None) -> None:
    """Refuse another newest version than `stored` had where others include the newest, and would fail."""
    before = Part(f"{stored.pk} {stored.version}", stored.name, stored.version, stored.template)
    check_dependants(prompt.name, {Reference(prompt.name, LATEST): before}, using=using)


def set_status(
    prompt: Prompt, status: Status, *, author: User | None, index: bool = True, using: str | None = None
) -> None:
    """Put into use or out of it. Nothing else of the prompt is looked at: what is stored stays."""
    alias = using or router.db_for_write(Prompt, instance=prompt)
    with transaction.atomic(using=alias):
        stored = Prompt.objects.using(alias).filter(pk=prompt.pk).exclude(status=status).first()
        if stored is None:
            return
        before = copy(stored)
        stored.status = status
        stored.save(using=alias, update_fields=["status", "updated_at"], index=index)
        tell_saved(stored, before, author, alias)


def check_composition(prompt: Prompt, *, using: str | None = None) -> Composition:
    """The prompt with all that it includes. Raises ``CompositionProblem`` or ``ValidationError``."""
    composition = compose(Part("", prompt.name, 0, prompt.template), using=using)
    if composition.parts:
        try:
            composition.template.check()
        except TemplateProblem as problem:
            name = problem.field.partition(".")[0].partition("[")[0]
            text = f"Expected {problem.expected}, got {problem.got}, with all that is included."
            raise ValidationError({name: ValidationError(text, code="template")}) from problem
    return composition


def restore_content(
    prompt: Prompt, number: int, *, author: User | None, message: str = "", using: str | None = None
) -> Saved:
    """A new version with what the version `number` held. Raises ``NotThere``."""
    alias = using or router.db_for_write(Prompt, instance=prompt)
    with transaction.atomic(using=alias):
        version = prompt.versions.using(alias).kept().filter(version=number).first()
        if version is None:
            raise NotThere("version", f"a version of {prompt.name}", str(number))
        for name in VERSIONED:
            setattr(prompt, name, getattr(version, name))
        return save_prompt(
            prompt, author=author, message=message or f"Restored version {number}", using=alias
        )


def _check_message(message: str) -> None:
    try:
        validate_text(message)
    except ValidationError as error:
        raise ValidationError({"message": error.messages}) from error
    if len(message) > MAX_MESSAGE:
        raise RegistryProblem("message", f"at most {MAX_MESSAGE:,} characters", f"{len(message):,}")


def check_rename(prompt: Prompt, *, using: str | None = None) -> None:
    """Refuse another name than the one by which other prompts include it."""
    stored = Prompt.objects.using(using).only("name").filter(pk=prompt.pk).exclude(name=prompt.name).first()
    if stored and (dependants := find_dependants(stored.name, using=using)):
        first = dependants[0]
        raise Refused(
            "name", "the name by which other prompts include it",
            f"another one, while {first.name} v{first.version} includes {stored.name}",
        )  # fmt: skip


def tell_saved(prompt: Prompt, before: Prompt | None, author: User | None, using: str) -> None:
    """Tell that it was saved, `before` being what was stored; nothing where that is the same."""
    changed = changed_fields(before, prompt)
    data: dict[str, Any] = {"version": prompt.version}
    kind: Any = "prompt.created"
    if before is not None:
        kind = "prompt.changed" if prompt.version == before.version else "version.created"
        if not changed and kind == "prompt.changed":
            return
        data["changed"] = changed
    tell(Event(kind, prompt.pk, prompt.name, author.pk if author else "", data), using)
