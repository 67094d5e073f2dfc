import re
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models, router, transaction
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from ..rendering import messages
from ..rendering.errors import RenderingUnavailable, TemplateProblem
from ..rendering.template import Template
from ..validators import (
    MAX_LANGUAGE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TITLE_LENGTH,
    validate_language,
    validate_metadata,
    validate_name,
    validate_tags,
    validate_title,
)
from .base import ChangingRecord, RandomHex
from .fields import record_fields
from .version import PromptVersion
from .versioned import VERSIONED, Versioned, hash_content

__all__ = ["Kind", "Prompt", "Status", "hash_content", "index_later"]


_ID: Final = re.compile("[0-9a-f]{32}")


class Kind(models.TextChoices):
    TEXT = "text", _("Text")
    CHAT = "chat", _("Chat")


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    ARCHIVED = "archived", _("Archived")


class PromptQuerySet(models.QuerySet["Prompt"]):
    def kept(self) -> "PromptQuerySet":
        """Prompts that are not in the trash."""
        return self.filter(deleted_at=None)

    def by_ref(self, ref: str) -> "Prompt | None":
        """The prompt of this id, else the one of this name."""
        if "\0" in ref:  # the database refuses to compare with it
            return None
        by_id = self.filter(pk=ref).first() if _ID.fullmatch(ref) else None
        return by_id or self.filter(name=ref).first()

    def labelled(self, label: str) -> "PromptQuerySet":
        """Prompts with a version that the label serves."""
        return self if label == "latest" else self.filter(labels__name=label)

    def in_folder(self, folder: str) -> "PromptQuerySet":
        """Prompts in this folder or below it; like names, folders tell upper case from lower."""
        folder = folder.strip("/")
        # From "folder/" to what follows it, "0" being the character after "/": SQLite's LIKE ignores case.
        return self.filter(name__gte=f"{folder}/", name__lt=f"{folder}0")

    def tagged(self, tag: str) -> "PromptQuerySet":
        """Prompts that carry exactly this tag (Django has no such lookup for JSON on SQLite)."""
        is_among = "EXISTS (SELECT 1 FROM json_each(prompts.tags) WHERE value = %s)"
        return self.filter(RawSQL(is_among, [tag], output_field=models.BooleanField()))  # noqa: S611


class KeptPrompts(models.Manager.from_queryset(PromptQuerySet)):  # type: ignore[misc]
    """Without the trash, in which nobody looks for a prompt who does not mean to."""

    def get_queryset(self) -> PromptQuerySet:
        return super().get_queryset().kept()


class Prompt(Versioned, ChangingRecord):
    """A prompt as it is now. Its history is in :class:`PromptVersion`; saving a new payload adds to it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="prompts",
        help_text=_("The author; deleting the user deletes the prompts."),
    )
    name = models.CharField(
        _("name"),
        max_length=MAX_NAME_LENGTH,
        db_default=RandomHex(),
        validators=[validate_name],
        help_text=_("Unique; slashes make folders: writing/resume-rewriter."),
    )
    title = models.CharField(
        _("title"),
        max_length=MAX_TITLE_LENGTH,
        validators=[validate_title],
        help_text=_("For people: shown in lists and search results, such as Rewrite a resume."),
    )
    type = models.CharField(
        _("type"),
        max_length=8,
        choices=Kind.choices,
        default=Kind.TEXT,
        db_default=Kind.TEXT,
        help_text=_("Chosen once: all versions of a prompt are texts, or all are chats."),
    )
    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)
    purged_version = models.PositiveIntegerField(
        _("purged version"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("The highest number of a version that was purged."),
    )
    status = models.CharField(
        _("status"),
        max_length=16,
        choices=Status.choices,
        default=Status.DRAFT,
        db_default=Status.DRAFT,
        help_text=_("Draft: being written. Active: in use. Archived: kept, but no longer meant to be used."),
    )
    language = models.CharField(
        _("language"),
        max_length=MAX_LANGUAGE_LENGTH,
        blank=True,
        db_default="",
        validators=[validate_language],
        help_text=_("Language code of the content, such as en or ja."),
    )
    tags = models.JSONField(
        _("tags"),
        default=list,
        db_default=[],
        blank=True,
        validators=[validate_tags],
        help_text=_("Words to filter by, such as career and writing."),
    )
    source = models.CharField(
        _("source"),
        max_length=255,
        blank=True,
        db_default="",
        editable=False,
        help_text=_("The file it was imported from."),
    )
    metadata = models.JSONField(
        _("metadata"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_metadata],
        help_text=_("A JSON object that searches can filter by. It makes no new version."),
    )
    deleted_at = models.DateTimeField(
        _("deleted at"), null=True, editable=False, help_text=_("Since when it is in the trash.")
    )

    objects = KeptPrompts()
    everything = PromptQuerySet.as_manager()

    class Meta:
        db_table = "prompts"
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["-updated_at", "name"]
        indexes = [
            models.Index(fields=["status"], name="prompts_status"),
            models.Index(fields=["-updated_at", "name"], name="prompts_updated"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(deleted_at=None),
                name="prompts_name_is_unique",
                violation_error_code="unique",
                violation_error_message="Expected a name that no other prompt has.",
            ),
            models.CheckConstraint(condition=models.Q(type__in=Kind.values), name="prompts_type_is_known"),
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="prompts_status_is_known"
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="prompts_version_is_positive"),
            models.CheckConstraint(condition=~models.Q(content=""), name="prompts_content_is_not_empty"),
        ]
        permissions = [("change_others_prompts", "May change prompts of others")]

    def __str__(self) -> str:
        return self.name

    @property
    def content_hash(self) -> str:
        return self.payload.hash

    @property
    def template(self) -> Template:
        return self.template_of(self.type)

    @property
    def text(self) -> str:
        return self.text_of(self.type)

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def folders(self) -> list[str]:
        """The folder and all around it: ``a/b/c`` is in ``a`` and in ``a/b``."""
        parts = self.name.split("/")[:-1]
        return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]

    def clean(self) -> None:
        super().clean()
        if not self._state.adding:
            stored = type(self).everything.filter(pk=self.pk).values_list("type", flat=True).first()
            if stored and stored != self.type:
                raise ValidationError(
                    {
                        "type": ValidationError(
                            f"Expected {stored}, as in all versions, got {self.type}.", code="type"
                        )
                    }
                )
        if not self.content:
            return
        try:
            if self.type == Kind.CHAT:
                self.content = messages.dump(messages.parse(self.content))
            self.variables = self.template.declared
            self.template.check()
        except TemplateProblem as problem:
            name = problem.field.partition(".")[0].partition("[")[0]
            where = "" if name == problem.field else f" ({problem.field})"
            text = f"Expected {problem.expected}, got {problem.got}{where}."
            code = "unavailable" if isinstance(problem, RenderingUnavailable) else "template"
            raise ValidationError({name: ValidationError(text, code=code)}) from problem

    def save(
        self, *args: Any, author: Any = None, message: str = "", index: bool = True, **kwargs: Any
    ) -> None:
        """Save, and in the same transaction add a version if a new payload is saved.

        ``author`` (default: the prompt's user) and ``message`` are those of the new version. What the
        database holds decides, not what this object was loaded with: versions only ever grow, and a number
        whose version is in the trash or was purged is not given again. The search index follows after the
        commit; with ``index=False`` the caller sees to it.
        """
        using = kwargs["using"] = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        fields = kwargs.get("update_fields")
        saves_payload = fields is None or not {*VERSIONED}.isdisjoint(fields)
        with transaction.atomic(using=using):
            versions = PromptVersion.objects.using(using)
            stored = versions.none() if self._state.adding else versions.filter(prompt=self.pk)
            latest = stored.kept().first()
            stored_version, self.purged_version = self._stored_numbers(using)
            highest = max(stored.values_list("version", flat=True).first() or 0, self.purged_version)
            is_new = saves_payload and (latest is None or latest.content_hash != self.content_hash)
            # Plain SQL may have set a number that no version has.
            number = highest + 1 if is_new else latest.version if latest else 0
            self.version = max(number, stored_version, 1)
            if fields is not None and saves_payload:
                kwargs["update_fields"] = {*fields, "version", "updated_at"}
            super().save(*args, **kwargs)
            if is_new:
                versions.create(
                    prompt_id=self.pk,
                    version=self.version,
                    content_hash=self.content_hash,
                    parent_id=latest.pk if latest else None,
                    author_id=author.pk if author else self.user_id,
                    message=message,
                    **self.payload.as_dict(),
                )
            record_fields(self.pk, using)
            if index:
                # Robust: saving works while the embedder is out of reach; `embed_prompts` catches up. No
                # partial(): Django logs a failure by the function's name, which a partial has not.
                ids = [self.pk]
                transaction.on_commit(lambda: index_later(ids, using), using=using, robust=True)

    def _stored_numbers(self, using: str) -> tuple[int, int]:
        if self._state.adding:
            return 0, 0
        stored = type(self).everything.using(using).filter(pk=self.pk)
        return stored.values_list("version", "purged_version").first() or (0, 0)


def index_later(prompt_ids: list[str], using: str) -> None:
    """Have the search index of the database `using` follow; after the commit, for embedding takes time."""
    from ..queueing import enqueue
    from ..tasks import index_prompts

    if using == DEFAULT_DB_ALIAS:
        enqueue(index_prompts, prompt_ids, otherwise="Prompts wait to be indexed")
    else:
        # A worker is another process: it does not know the alias under which an environment is open here.
        index_prompts(prompt_ids, using)
