"""What the first page shows, each piece for who may see it. Nothing here waits for a part that is down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from ops.alerts.open_page import open_alerts
from ops.figures.trends import trends
from ops.health import watching, wording
from ops.health.states import Health, State, Status
from ops.jobs.models import Job, JobState
from prompts.indexing import COLLECTION
from prompts.models import LabelMove, Prompt, PromptVersion, User
from prompts.models import Status as PromptStatus
from vectors import store
from vectors.models import Collection

LATEST: Final = 6
_FAILED_SINCE: Final = timedelta(days=7)
_HEAVY: Final = ("prompt__content", "prompt__metadata", "prompt__config", "prompt__variables")
# By the name of a part: its icon, and the page where one looks further.
_PARTS: Final = {
    "database": ("database", "ops_slowquery_changelist"),
    "replica": ("sync", "ops_healthrecord_changelist"),
    "redis": ("bolt", "ops_redis"),
    "broker": ("bolt", "ops_redis"),
    "search": ("scatter_plot", "vectors_collection_changelist"),
    "workers": ("engineering", "ops_job_changelist"),
    "jobs": ("pending_actions", "ops_job_changelist"),
    "scheduler": ("schedule", "django_celery_beat_periodictask_changelist"),
    "disk": ("hard_drive", "ops_healthrecord_changelist"),
    "backups": ("backup", "ops_backupdrill_changelist"),
    "embedder": ("memory", "vectors_collection_changelist"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A card of the first page."""

    state: State
    title: Any
    icon: str
    url: str
    word: Any
    proved: datetime | None


def overview(user: User, health: Health) -> dict[str, Any]:
    """The context of ``admin/home/live.html``."""
    found: dict[str, Any] = {"now": timezone.now()}
    if user.has_perm("ops.view_healthrecord"):
        found |= {"health": health, "parts": list(_parts(health)), "trends": trends()}
        found["troubled"] = [part.title for part in found["parts"] if part.state.status != Status.OK]
        found["disabled"] = wording.titles_of_disabled(health)
    if user.has_perm("ops.view_alert"):
        found["alerts"] = open_alerts()[:LATEST]
    if user.has_perm("prompts.view_prompt"):
        found |= {"registry": _registry(health), "versions": _versions()}
    if user.has_perm("prompts.view_labelmove"):
        found["moves"] = LabelMove.objects.select_related("prompt").defer("evidence", *_HEAVY)[:LATEST]
    if user.has_perm("ops.view_job"):
        since = timezone.now() - _FAILED_SINCE
        failed = Job.objects.filter(state=JobState.FAILED, created_at__gte=since)
        found["failed_jobs"] = failed.order_by("-created_at")[:LATEST]
    return found


def health_of_a_page() -> Health:
    """As somebody has found it lately: a page does not wait, for it asks again as soon as it is shown."""
    return watching.recent(45.0)


def _parts(health: Health) -> Iterator[Part]:
    for name, state in health.states.items():
        if state.status == Status.DISABLED:
            continue
        icon, page = _PARTS[name]
        url, word = reverse(f"admin:{page}"), wording.word_of(state.status)
        yield Part(state, wording.title_of(name), icon, url, word, _proved(state))


def _proved(state: State) -> datetime | None:
    """When a backup was last restored for a try and found whole."""
    for one in state.samples:
        if one.name == "afn_backup_last_proved_timestamp_seconds":
            return datetime.fromtimestamp(one.value, tz=timezone.get_current_timezone())
    return None


def _registry(health: Health) -> dict[str, Any]:
    listing = reverse("admin:prompts_prompt_changelist")
    by_status = dict(Prompt.objects.order_by().values_list("status").annotate(Count("pk")))
    collection = Collection.objects.filter(name=COLLECTION).first()
    return {
        "prompts": sum(by_status.values()),
        "statuses": [
            (status.label, by_status.get(status.value, 0), f"{listing}?status__exact={status.value}")
            for status in PromptStatus
        ],
        "versions": PromptVersion.objects.count(),
        "indexed": store.count(collection) if collection else 0,
        "outdated": _outdated(health),
    }


def _outdated(health: Health) -> int:
    """As the look at the embedder counted them."""
    samples = [one for state in health.states.values() for one in state.samples]
    return int(next((one.value for one in samples if one.name == "afn_prompts_outdated"), 0))


def _versions() -> Any:
    newest = PromptVersion.objects.kept().filter(prompt__deleted_at=None).select_related("prompt", "author")
    return newest.order_by("-created_at", "-version").defer("content", *_HEAVY)[:LATEST]
