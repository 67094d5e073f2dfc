"""The trash: what is deleted is out of sight at once, and can be brought back until it is purged."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, router, transaction
from django.db.models import Max
from django.utils import timezone

from .composition import compose, part_of
from .dependants import find_dependants
from .errors import NotThere, Refused
from .events import Event, tell
from .labels import drop_labels
from .models import VERSIONED, LabelSplit, Prompt, PromptVersion, User
from .models.prompt import index_later
from .saving import check_newest
from .validators import validate_name


def delete_prompt(prompt: Prompt, *, actor: User | None, using: str | None = None) -> None:
    """Into the trash, with all versions; its labels come off. Raises ``Refused`` where others include it."""
    alias = using or router.db_for_write(Prompt)
    with transaction.atomic(using=alias):
        _check_dependants(prompt, None, alias)
        versions = list(prompt.versions.using(alias).kept().defer("content"))
        drop_labels(versions, actor=actor, reason="The prompt was deleted.", using=alias)
        LabelSplit.objects.using(alias).filter(prompt=prompt.pk, ended_at=None).update(
            ended_at=timezone.now()
        )
        changed = Prompt.objects.using(alias).filter(pk=prompt.pk).update(deleted_at=timezone.now())
        if changed:
            tell(Event("prompt.deleted", prompt.pk, prompt.name, _id(actor)), alias)
            _leave_the_index(prompt.pk, alias)


def delete_version(prompt: Prompt, number: int, *, actor: User | None, using: str | None = None) -> None:
    """Into the trash; its labels come off, and where it was the newest, the newest that is left counts.

    The last version takes the prompt with it. Raises ``NotThere``, ``Refused`` or ``Protected``.
    """
    alias = using or router.db_for_write(Prompt)
    with transaction.atomic(using=alias):
        versions = prompt.versions.using(alias).kept()
        version = versions.filter(version=number).first()
        if version is None:
            raise NotThere("version", f"a version of {prompt.name}", str(number))
        if not versions.exclude(pk=version.pk).exists():
            return delete_prompt(prompt, actor=actor, using=alias)
        _check_dependants(prompt, version, alias)
        _check_splits(prompt, number, alias)
        drop_labels([version], actor=actor, reason=f"Version {number} was deleted.", using=alias)
        PromptVersion.objects.using(alias).filter(pk=version.pk).update(deleted_at=timezone.now())
        _show_newest(prompt, alias)
        tell(Event("version.deleted", prompt.pk, prompt.name, _id(actor), {"version": number}), alias)


def restore_prompt(prompt: Prompt, *, actor: User | None, name: str = "", using: str | None = None) -> None:
    """Out of the trash; under another `name` where its own has been given away (``Refused``)."""
    alias = using or router.db_for_write(Prompt)
    name = name or prompt.name
    try:
        validate_name(name)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from error
    with transaction.atomic(using=alias):
        if Prompt.objects.using(alias).filter(name=name).exclude(pk=prompt.pk).exists():
            raise Refused(
                "name", "a name that no other prompt has", repr(name), "Restore it under another one."
            )
        changed = (
            Prompt.everything.using(alias)
            .filter(pk=prompt.pk, deleted_at__isnull=False)
            .update(deleted_at=None, name=name, updated_at=timezone.now())
        )
        if not changed:
            raise NotThere("prompt", "a prompt in the trash", repr(prompt.name))
        restored = Prompt.objects.using(alias).get(pk=prompt.pk)
        restored.save(using=alias, author=actor)
        tell(Event("prompt.restored", prompt.pk, name, _id(actor)), alias)


def restore_version(prompt: Prompt, number: int, *, actor: User | None, using: str | None = None) -> None:
    """Out of the trash, under its old number. Raises ``NotThere``; or ``CompositionProblem`` or ``Refused``
    where it would be the newest, and what it includes or what includes it is not as it was.
    """
    alias = using or router.db_for_write(Prompt)
    with transaction.atomic(using=alias):
        trashed = PromptVersion.objects.using(alias).filter(
            prompt=prompt.pk, version=number, deleted_at__isnull=False
        )
        if not trashed.update(deleted_at=None):
            raise NotThere("version", f"a version of {prompt.name} in the trash", str(number))
        _show_newest(prompt, alias)
        tell(Event("version.restored", prompt.pk, prompt.name, _id(actor), {"version": number}), alias)


def purge(older_than: timedelta, *, now: datetime | None = None, using: str = DEFAULT_DB_ALIAS) -> int:
    """Delete for good what has been in the trash for longer; returns how many prompts."""
    moment = (now or timezone.now()) - older_than
    gone = Prompt.everything.using(using).filter(deleted_at__lt=moment)
    count = 0
    for prompt in gone.only("pk", "name").iterator(chunk_size=100):
        with transaction.atomic(using=using):
            tell(Event("prompt.purged", prompt.pk, prompt.name), using)
            prompt.delete(using=using)
        count += 1
    versions = PromptVersion.objects.using(using).filter(deleted_at__lt=moment).order_by()
    with transaction.atomic(using=using):
        # A number names one content for ever, even where that is gone.
        for key, number in versions.values_list("prompt").annotate(highest=Max("version")):
            of_prompt = Prompt.everything.using(using).filter(pk=key, purged_version__lt=number)
            of_prompt.update(purged_version=number)
        versions.delete()
    return count


def _show_newest(prompt: Prompt, using: str) -> None:
    newest = PromptVersion.objects.using(using).kept().filter(prompt=prompt.pk).order_by("-version").first()
    stored = Prompt.objects.using(using).filter(pk=prompt.pk).first()
    if newest is None or stored is None:
        raise NotThere("prompt", "a prompt that is there", f"{prompt.name}, which was deleted")
    if newest.version == stored.version:
        return
    compose(part_of(stored.name, stored.type, newest), using=using)
    values = {name: getattr(newest, name) for name in VERSIONED}
    Prompt.objects.using(using).filter(pk=prompt.pk).update(
        **values, version=newest.version, updated_at=timezone.now()
    )
    check_newest(prompt, stored, using=using)
    transaction.on_commit(lambda: index_later([prompt.pk], using), using=using, robust=True)


def _check_dependants(prompt: Prompt, version: PromptVersion | None, using: str) -> None:
    """Refuse where another prompt includes this one, or this version of it by number or by a label."""
    labels = set(version.labels.using(using).values_list("name", flat=True)) if version else set()
    for one in find_dependants(prompt.name, using=using):
        by_number = version is not None and one.reference.version == version.version
        if version is None or by_number or one.reference.label in labels:
            raise Refused(
                "prompt" if version is None else "version",
                "one that no other prompt includes",
                f"{prompt.name}, which {one.name} v{one.version} includes",
            )


def _check_splits(prompt: Prompt, number: int, using: str) -> None:
    for split in LabelSplit.objects.using(using).filter(prompt=prompt.pk, ended_at=None):
        if number in [arm["version"] for arm in split.arms]:
            raise Refused(
                "version", "a version that is in no running split", f"{number}, in that of {split.label!r}",
                "End the split first.",
            )  # fmt: skip


def _leave_the_index(prompt_id: str, using: str) -> None:
    from .tasks import remove_later

    transaction.on_commit(lambda: remove_later([prompt_id], using), using=using, robust=True)


def _id(actor: User | None) -> str:
    return actor.pk if actor else ""
