"""The schedules that AFN comes with.

A migration adds those that are new, once, so that what an operator has changed or deleted stays so.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Default:
    """`every` is in seconds, `at` an hour and a minute of each day, in TIME_ZONE.

    `does` is a kind of job, or with a dot a task without arguments.
    """

    does: str
    description: str
    every: int | None = None
    at: tuple[int, int] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True


DEFAULTS: Final = {
    "Tell webhooks": Default(
        "ops.tasks.deliver_events", "Sends what webhooks were not told yet.", every=10
    ),
    "Look after jobs": Default(
        "ops.tasks.sweep_jobs", "Starts jobs that are due, and those whose worker died.", every=10
    ),
    "Watch for alerts": Default(
        "ops.tasks.watch_alerts", "Compares figures with limits, and tells of alerts.", every=30
    ),
    "Catch up": Default(
        "prompts.tasks.catch_up", "Goes on with runs, brings the index in step.", every=60
    ),
    "Back up": Default("back_up", "Makes a backup, and brings it to the bucket if there is one.", at=(2, 0)),
    "Prove the newest backup": Default(
        "drill_backup", "Restores it beside the live database, compares, removes it again.", at=(2, 30)
    ),
    "Remove old backups": Default("prune_backups", "Keeps what AFN_BACKUPS_KEEP says.", at=(3, 0)),
    "Clean up": Default("clean_up", "Deletes expired sessions and the like.", at=(3, 30)),
    "Empty the trash": Default(
        "empty_trash",
        "Deletes for good what is in it for 30 days.",
        at=(4, 0),
        arguments={"days": 30},
        enabled=False,
    ),
    "Shorten the audit log": Default(
        "prune_audit_log",
        "Deletes lines older than a year.",
        at=(4, 30),
        arguments={"keep_days": 365},
        enabled=False,
    ),
}  # fmt: skip


def add(apps: Any, using: str, *names: str) -> None:
    """Those of these names (all, without any) that are not there. `apps` are Django's, or a migration's."""
    schedules = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using)
    for name in names or DEFAULTS:
        default = DEFAULTS.get(name)
        if default is None or schedules.filter(name=name).exists():
            continue
        is_task = "." in default.does
        kwargs = {} if is_task else {"kind": default.does, "arguments": default.arguments}
        schedules.create(
            name=name,
            task=default.does if is_task else "ops.tasks.start_job",
            kwargs=json.dumps(kwargs),
            # Who comes to a task later need not do it any more, for it comes again. Jobs wait for theirs.
            expire_seconds=default.every if is_task else None,
            enabled=default.enabled,
            description=default.description,
            **_moments(apps, using, default),
        )


def remove(apps: Any, using: str, *names: str) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.using(using).filter(name__in=names).delete()


def _moments(apps: Any, using: str, default: Default) -> dict[str, Any]:
    """The interval or the fixed times, which schedules share."""
    if default.at is None:
        model, values = "IntervalSchedule", {"every": default.every, "period": "seconds"}
    else:
        hour, minute = map(str, default.at)
        model = "CrontabSchedule"
        values = {
            "hour": hour, "minute": minute, "day_of_week": "*", "day_of_month": "*", "month_of_year": "*",
            "timezone": settings.TIME_ZONE,
        }  # fmt: skip
    rows = apps.get_model("django_celery_beat", model).objects.using(using)
    found = rows.filter(**values).first() or rows.create(**values)
    return {"interval" if default.at is None else "crontab": found}
