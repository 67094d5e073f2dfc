"""Prompts as clients of Langfuse see them: one row a version, by name, with the labels of that version."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction

from ..composition import Composition
from ..errors import NotThere, RegistryProblem
from ..label_states import PRODUCTION
from ..labels import move_label
from ..models import LATEST, Kind, Prompt, PromptLabel, PromptVersion, Status, User
from ..ownership import check_owner
from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.template import Template
from ..saving import save_prompt
from ..serving import reading
from ..serving.reading import Served
from ..trash import delete_prompt, delete_version
from . import projects
from .moments import as_text
from .schemas import CreateIn


def find(name: str) -> Prompt | None:
    return Prompt.objects.select_related("user").filter(name=name).first()


def read(name: str, *, version: int | None = None, label: str | None = None) -> Served:
    """The version of that number, else what the label serves. Raises ``NotThere``."""
    if version is None:
        label = label or PRODUCTION
    served = reading.read(name, version=version, label=label or "")
    if served.name == name:
        return served
    # It is the id of another prompt; here prompts have names only.
    prompt = Prompt.objects.using(router.db_for_write(Prompt)).filter(name=name).first()
    if prompt is None:
        raise NotThere("prompt", "the name of a prompt", repr(name))
    return reading.read(prompt.pk, version=version, label=label or "")


def as_json(served: Served, composition: Composition) -> dict[str, Any]:
    """A version as Langfuse answers it; its content as `composition` has it."""
    content = composition.template.content
    labels = served.own_labels
    # From the primary, as all that is kept to be answered again.
    versions = PromptVersion.objects.using(router.db_for_write(PromptVersion)).filter(pk=served.version_id)
    author = versions.values_list("author__username", flat=True)
    return {
        "id": served.version_id,
        "projectId": projects.ID,
        "name": served.name,
        "type": served.type,
        "version": served.version,
        "prompt": messages.parse(content) if served.type == Kind.CHAT else content,
        "config": served.config,
        "labels": labels,
        "tags": served.tags,
        "commitMessage": served.message or None,
        "createdAt": as_text(served.version_created_at),
        "updatedAt": as_text(max(served.updated_at, served.version_created_at)),
        "createdBy": author.first() or served.author,
        "isActive": PRODUCTION in labels,
        "resolutionGraph": composition.graph,
    }


def create(given: CreateIn, *, author: User) -> Served:
    """A prompt of that name, or another version of it; where nothing differs from the newest only the labels
    move. Raises ``ValidationError`` by field, or a ``RegistryProblem``.
    """
    content = _content(given)
    with transaction.atomic():
        prompt = find(given.name) or Prompt(
            user=author, name=given.name, title=given.name, type=given.type, status=Status.ACTIVE
        )
        check_owner(author, prompt)
        if prompt.type != given.type:
            raise RegistryProblem("type", f"{prompt.type}, as in all versions", given.type)
        prompt.content = content
        prompt.config = given.config or {}
        prompt.variables = _still_used(prompt)
        if given.tags is not None:
            prompt.tags = list(dict.fromkeys(given.tags))
        saved = save_prompt(
            prompt, author=author, message=given.commit_message or "", labels=given.labels or []
        )
        return reading.read(prompt.pk, version=saved.version)


def add_labels(name: str, version: int, labels: list[str], *, actor: User) -> Served:
    """Have the version carry these labels too; they leave the versions that had them."""
    with transaction.atomic():
        prompt = _existing(name)
        check_owner(actor, prompt)
        for label in dict.fromkeys(labels):
            move_label(prompt, label, version, actor=actor)
        return reading.read(prompt.pk, version=version)


def delete(name: str, *, version: int | None, label: str | None, actor: User) -> None:
    """The version, the one that the label serves, or all of them. Raises ``NotThere`` or ``Refused``."""
    if version is not None and label is not None:
        raise RegistryProblem("version", "either a version or a label", "both")
    with transaction.atomic():
        prompt = _existing(name)
        check_owner(actor, prompt)
        if version is None and label is None:
            delete_prompt(prompt, actor=actor)
        else:
            delete_version(prompt, version or _served_by(prompt, label or ""), actor=actor)


def _served_by(prompt: Prompt, label: str) -> int:
    if label == LATEST:
        return prompt.version
    found = PromptLabel.objects.filter(prompt=prompt.pk, name=label).values_list(
        "version__version", flat=True
    )
    number = found.first()
    if number is None:
        raise NotThere("label", f"a label of {prompt.name}", repr(label))
    return number


def _existing(name: str) -> Prompt:
    prompt = find(name)
    if prompt is None:
        raise NotThere("prompt", "the name of a prompt", repr(name[:255]))
    return prompt


def _content(given: CreateIn) -> str:
    if given.type not in Kind.values:
        raise RegistryProblem("type", "text or chat", repr(given.type[:80]))
    is_chat = given.type == Kind.CHAT
    if isinstance(given.prompt, str) == is_chat:
        expected, got = ("a list of messages", "a text") if is_chat else ("a text", "a list")
        raise RegistryProblem("prompt", f"{expected} for the type {given.type}", got)
    return messages.dump(messages.check(given.prompt, "prompt")) if is_chat else str(given.prompt)


def _still_used(prompt: Prompt) -> dict[str, Any]:
    """What is declared of variables that are still there. Langfuse's clients know of no declarations, so they
    could not take off one that is of no use any more, which AFN refuses.
    """
    if not prompt.variables:
        return {}
    template = Template(prompt.type, prompt.content, prompt.template_format)  # type: ignore[arg-type]
    try:
        used = template.signature
        is_open = bool(template.references)
    except TemplateProblem as problem:
        raise ValidationError({"content": str(problem)}) from problem
    return {name: one for name, one in prompt.variables.items() if is_open or name in used}
