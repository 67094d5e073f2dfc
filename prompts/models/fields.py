"""What a prompt is beside its content, and how that came about.

Versions hold contents only. A title or a status that differs between two databases does not say which of
them changed it; the last state that both had does. So each state is kept, with an id that a copy of the
database shares.
"""

import hashlib
import json
from typing import Any, Final

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import Record

# What a person edits beside the content.
FIELDS: Final = ("name", "title", "status", "language", "tags", "metadata")


def hash_fields(values: dict[str, Any]) -> str:
    """SHA-256 of the values, as 64 hexadecimal digits, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def id_of_state(prompt_id: str, last_id: str, values_hash: str) -> str:
    """The id of the state that follows another. A merge gives it to one that plain SQL wrote, which is on
    record nowhere, and so knows it again, whether the prompt's next save has put it on record or not.
    """
    return hashlib.sha256(f"{prompt_id} {last_id} {values_hash}".encode()).hexdigest()[:32]


class PromptFields(Record):
    """One state of a prompt's fields. Written once, never changed."""

    prompt = models.ForeignKey(
        "prompts.Prompt", verbose_name=_("prompt"), on_delete=models.CASCADE, related_name="past_fields"
    )
    number = models.PositiveIntegerField(_("number"))
    values = models.JSONField(_("values"))
    values_hash = models.CharField(_("values hash"), max_length=64)

    class Meta:
        db_table = "prompt_fields"
        verbose_name = _("prompt fields")
        verbose_name_plural = _("prompt fields")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "number"], name="prompt_fields_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.prompt_id} {self.number}"


def record_fields(prompt_id: str, using: str) -> None:
    """Keep the fields as they are stored now, unless the newest state has the same; in a transaction."""
    newest = PromptFields.objects.filter(prompt=models.OuterRef("pk")).order_by("-number")
    prompts = apps.get_model("prompts", "Prompt")._base_manager.using(using)
    *values, last_id, number, last_hash = prompts.values_list(
        *FIELDS,
        models.Subquery(newest.values("pk")[:1]),
        models.Subquery(newest.values("number")[:1]),
        models.Subquery(newest.values("values_hash")[:1]),
    ).get(pk=prompt_id)
    state = dict(zip(FIELDS, values, strict=True))
    if (values_hash := hash_fields(state)) != last_hash:
        PromptFields.objects.using(using).create(
            id=id_of_state(prompt_id, last_id or "", values_hash),
            prompt_id=prompt_id,
            number=(number or 0) + 1,
            values=state,
            values_hash=values_hash,
        )
