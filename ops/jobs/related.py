"""What a job is about, as links for who may see it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from ops.backups.names import BackupName
from vectors.models import Collection

from .models import Job

Link = tuple[str, str, str]  # of what kind it is, its name, its address


def links(job: Job, user: Any) -> list[Link]:
    found = [_collection(job, user), _backup(job, user), _schedule(job, user)]
    return [one for one in found if one is not None]


def _collection(job: Job, user: Any) -> Link | None:
    name = str(job.arguments.get("collection", ""))
    if not name or not user.has_perm("vectors.view_collection"):
        return None
    key = Collection.objects.filter(name=name).values_list("pk", flat=True).first()
    url = reverse("admin:vectors_collection_change", args=[key]) if key else ""
    return (_("Collection"), name, url) if key else None


def _backup(job: Job, user: Any) -> Link | None:
    if not user.has_perm("ops.view_backupdrill"):
        return None
    result = job.result if isinstance(job.result, dict) else {}
    for text in (result.get("backup"), result.get("path"), job.arguments.get("backup")):
        name = BackupName.read(PurePath(str(text or "")).name)
        if name is not None:
            return _("Backup"), str(name), reverse("admin:ops_backupdrill_backup", args=[str(name)])
    return None


def _schedule(job: Job, user: Any) -> Link | None:
    name = schedule_of(job.slot)
    if not name or not user.has_perm("django_celery_beat.view_periodictask"):
        return None
    key = PeriodicTask.objects.filter(name=name).values_list("pk", flat=True).first()
    if key is None:
        return None
    return _("Schedule"), name, reverse("admin:django_celery_beat_periodictask_change", args=[key])


def schedule_of(slot: str) -> str:
    """The schedule that a job's slot names, beside the moment."""
    return slot.rpartition(" ")[0]


def starter_of(job: Job) -> str:
    return job.actor_name or schedule_of(job.slot) or "–"
