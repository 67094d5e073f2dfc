"""Finding lines of the audit log, for the API and the command."""

from datetime import datetime

from django.db.models import Q, QuerySet

from prompts.errors import RegistryProblem

from .models import AuditEntry, Source


def find(
    *,
    action: str | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    actor: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
) -> QuerySet[AuditEntry]:
    """The newest first. Raises ``RegistryProblem`` for a source that is none."""
    if source and source not in Source.values:
        raise RegistryProblem("source", ", ".join(Source.values), repr(source[:40]))
    rows = AuditEntry.objects.all()
    if action and action.endswith("*"):
        start = action.removesuffix("*")
        rows = rows.filter(action__gte=start, action__lt=start + "\U0010ffff")  # unlike LIKE by an index
    elif action:
        rows = rows.filter(action=action)
    if actor:
        rows = rows.filter(Q(actor_id=actor) | Q(actor_name=actor))
    wanted = {
        "object_type": object_type,
        "object_id": object_id,
        "source": source,
        "created_at__gte": since,
        "created_at__lt": until,
        "id__lt": before,
    }
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})
