import hashlib
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models, router, transaction
from django.db.models.expressions import RawSQL

from ..validators import (
    MAX_LANGUAGE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TITLE_LENGTH,
    validate_content,
    validate_language,
    validate_metadata,
    validate_name,
    validate_tags,
    validate_title,
)
from .base import ChangingRecord, RandomHex, Record
from .fields import record_fields


def hash_content(content: str) -> str:
    """SHA-256 of the text, as 64 hexadecimal digits: equal hashes mean identical content."""
    return hashlib.sha256(content.encode()).hexdigest()


class Status(models.TextChoices):
    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class PromptQuerySet(models.QuerySet["Prompt"]):
    def in_folder(self, folder: str) -> "PromptQuerySet":
        """Prompts in this folder or below it; like names, folders tell upper case from lower."""
        folder = folder.strip("/")
        # From "folder/" to what follows it, "0" being the character after "/": SQLite's LIKE ignores case.
        return self.filter(name__gte=f"{folder}/", name__lt=f"{folder}0")

    def tagged(self, tag: str) -> "PromptQuerySet":
        """Prompts that carry exactly this tag (Django has no such lookup for JSON on SQLite)."""
        is_among = "EXISTS (SELECT 1 FROM json_each(prompts.tags) WHERE value = %s)"
        return self.filter(RawSQL(is_among, [tag], output_field=models.BooleanField()))  # noqa: S611


class Prompt(ChangingRecord):
    """A prompt as it is now. Its history is in :class:`PromptVersion`; saving new content adds to it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="prompts",
        help_text="The author; deleting the user deletes the prompts.",
    )
    name = models.CharField(
        max_length=MAX_NAME_LENGTH,
        unique=True,
        db_default=RandomHex(),
        validators=[validate_name],
        help_text="Unique; slashes make folders: writing/resume-rewriter.",
    )
    title = models.CharField(max_length=MAX_TITLE_LENGTH, validators=[validate_title])
    content = models.TextField(validators=[validate_content])
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.DRAFT, db_default=Status.DRAFT
    )
    language = models.CharField(
        max_length=MAX_LANGUAGE_LENGTH,
        blank=True,
        db_default="",
        validators=[validate_language],
        help_text="Language code of the content, such as en or ja.",
    )
    tags = models.JSONField(default=list, db_default=[], blank=True, validators=[validate_tags])
    source = models.CharField(
        max_length=255, blank=True, db_default="", editable=False, help_text="The file it was imported from."
    )
    metadata = models.JSONField(default=dict, db_default={}, blank=True, validators=[validate_metadata])

    objects = PromptQuerySet.as_manager()

    class Meta:
        db_table = "prompts"
        ordering = ["-updated_at", "name"]
        indexes = [
            models.Index(fields=["status"], name="prompts_status"),
            models.Index(fields=["-updated_at", "name"], name="prompts_updated"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="prompts_status_is_known"
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="prompts_version_is_positive"),
            models.CheckConstraint(condition=~models.Q(content=""), name="prompts_content_is_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def content_hash(self) -> str:
        return hash_content(self.content)

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def folders(self) -> list[str]:
        """The folder and all around it: ``a/b/c`` is in ``a`` and in ``a/b``."""
        parts = self.name.split("/")[:-1]
        return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]

    def save(
        self, *args: Any, author: Any = None, message: str = "", index: bool = True, **kwargs: Any
    ) -> None:
        """Save, and in the same transaction add a version if new content is saved.

        ``author`` (default: the prompt's user) and ``message`` are those of the new version. What the
        database holds decides, not what this object was loaded with: versions only ever grow. The search
        index follows after the commit; with ``index=False`` the caller sees to it.
        """
        using = kwargs["using"] = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        fields = kwargs.get("update_fields")
        saves_content = fields is None or "content" in fields
        with transaction.atomic(using=using):
            versions = PromptVersion.objects.using(using)
            latest = None if self._state.adding else versions.filter(prompt=self.pk).first()
            is_new = saves_content and (latest is None or latest.content_hash != self.content_hash)
            # Plain SQL may have set a number that no version has.
            self.version = max((latest.version if latest else 0) + is_new, self._stored_version(using), 1)
            if fields is not None and saves_content:
                kwargs["update_fields"] = {*fields, "version", "updated_at"}
            super().save(*args, **kwargs)
            if is_new:
                versions.create(
                    prompt_id=self.pk,
                    version=self.version,
                    content=self.content,
                    content_hash=self.content_hash,
                    parent_id=latest.pk if latest else None,
                    author_id=author.pk if author else self.user_id,
                    message=message,
                )
            record_fields(self.pk, using)
            if index:
                # Robust: saving works while the embedder is out of reach; `embed_prompts` catches up. No
                # partial(): Django logs a failure by the function's name, which a partial has not.
                ids = [self.pk]
                transaction.on_commit(lambda: index_later(ids, using), using=using, robust=True)

    def _stored_version(self, using: str) -> int:
        if self._state.adding:
            return 0
        stored = type(self).objects.using(using).filter(pk=self.pk)
        return stored.values_list("version", flat=True).first() or 0


def index_later(prompt_ids: list[str], using: str) -> None:
    """Have the search index of the database `using` follow; after the commit, for embedding takes time."""
    from ..tasks import index_prompts

    if using == DEFAULT_DB_ALIAS:
        index_prompts.delay(prompt_ids)
    else:
        # A worker is another process: it does not know the alias under which an environment is open here.
        index_prompts(prompt_ids, using)


class PromptVersion(Record):
    """One state of a prompt's content. Written once, never changed."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.TextField()
    content_hash = models.CharField(max_length=64, db_index=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    message = models.TextField(blank=True, db_default="", help_text="What changed, and why.")

    class Meta:
        db_table = "prompt_versions"
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "version"], name="prompt_versions_number_is_unique"),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="prompt_versions_number_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt.name} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A prompt version is immutable: save the prompt with new content instead.")
        super().save(*args, **kwargs)
