from django.db import models
from django.utils.translation import gettext_lazy as _

from vectors.models import Collection

from .base import Record
from .prompt import Prompt
from .version import PromptVersion


class PromptEmbedding(Record):
    """Says which version of a prompt a collection holds, embedded by which model.

    The vector itself lives in the collection's tables; the view ``prompt_embeddings`` joins the two.
    """

    prompt = models.ForeignKey(
        Prompt, verbose_name=_("prompt"), on_delete=models.CASCADE, related_name="embeddings"
    )
    version = models.ForeignKey(
        PromptVersion, verbose_name=_("version"), on_delete=models.CASCADE, related_name="embeddings"
    )
    collection = models.ForeignKey(
        Collection, verbose_name=_("collection"), on_delete=models.CASCADE, related_name="+"
    )
    model = models.CharField(_("model"), max_length=255)
    content_hash = models.CharField(_("content hash"), max_length=64)

    class Meta:
        db_table = "prompt_embedding_records"
        verbose_name = _("prompt embedding")
        verbose_name_plural = _("prompt embeddings")
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "collection"], name="prompt_embedding_records_one_a_collection"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt_id} in {self.collection_id}"
