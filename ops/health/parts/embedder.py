"""What turns prompts into vectors: whether the last try failed while there are prompts that wait for it."""

import time
from typing import Any, Final

from django.db import DatabaseError
from django.dispatch import receiver
from django.utils.translation import gettext_noop as _

from ops.health import signs
from ops.health.states import Finding, Status, sample
from ops.said import say
from prompts.indexing import count_outdated
from prompts.indexing_signals import embedder_failed
from prompts.models import PromptEmbedding

# The sweep tries every minute (docs/jobs.md): a failure that is older than this was the last of its kind.
_RECENT: Final = 180.0  # seconds


def probe() -> Finding:
    waiting = count_outdated()
    newest = PromptEmbedding.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    failed = signs.last(signs.EMBEDDER_FAILED)
    samples = [sample("afn_prompts_outdated", waiting)]
    if newest is not None:
        samples.append(sample("afn_embedder_last_success_timestamp_seconds", newest.timestamp()))
    if failed is not None:
        samples.append(sample("afn_embedder_last_failure_timestamp_seconds", failed.at))
        ago = time.time() - failed.at
        if waiting and ago < _RECENT:
            detail = say(
                _("%(error)s %(ago)s s ago, %(waiting)s prompts wait"),
                error=failed.detail,
                ago=f"{ago:.0f}",
                waiting=f"{waiting:,}",
            )
            return Finding(Status.DEGRADED, detail, float(waiting), samples)
    detail = say(_("%(waiting)s prompts wait for it"), waiting=f"{waiting:,}")
    return Finding(Status.OK, detail, float(waiting), samples)


@receiver(embedder_failed, dispatch_uid="health")
def note_failure(error: Exception, **_kwargs: Any) -> None:
    """Its class alone: the text may quote an address or an answer of the service."""
    try:
        signs.note(signs.EMBEDDER_FAILED, type(error).__name__)
    except DatabaseError:  # then the database is what is looked at
        return
