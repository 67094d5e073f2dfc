"""What a schedule can do: start a job of any kind, or one of the tasks that look after things."""

import json
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django_celery_beat.models import PeriodicTask

from ops.beat import START_JOB
from ops.jobs import registry, words

TASKS: Final = {
    "ops.tasks.deliver_events": gettext_noop("Tell webhooks what still waits"),
    "prompts.tasks.catch_up": gettext_noop("Go on with runs, and bring the search index in step"),
    "ops.tasks.watch_alerts": gettext_noop("Compare figures with the limits of alerts, and tell of them"),
    "ops.tasks.sweep_jobs": gettext_noop("Start jobs that are due or were abandoned"),
}


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """For a form, in groups."""
    jobs = [(f"job {kind.name}", words.title_of(kind.name)) for kind in registry.kinds()]
    return [(_("Jobs"), jobs), (_("Upkeep"), [(f"task {name}", _(title)) for name, title in TASKS.items()])]


def choice_of(schedule: PeriodicTask) -> str:
    """The choice that a schedule is; empty for what is not offered here."""
    if schedule.task == START_JOB:
        kind = str(_kwargs(schedule).get("kind", ""))
        return f"job {kind}" if kind else ""
    return f"task {schedule.task}" if schedule.task in TASKS else ""


def title_of(schedule: PeriodicTask) -> str:
    kind, __, name = choice_of(schedule).partition(" ")
    if kind == "job":
        return registry.title_of(name)
    return TASKS.get(name, str(schedule.task))


def shown_title_of(schedule: PeriodicTask) -> str:
    """The same in the reader's language."""
    kind, __, name = choice_of(schedule).partition(" ")
    if kind == "job":
        return words.title_of(name)
    return _(TASKS[name]) if name in TASKS else str(schedule.task)


def arguments_of(schedule: PeriodicTask) -> dict[str, object]:
    found = _kwargs(schedule).get("arguments")
    return found if isinstance(found, dict) else {}


def set_choice(schedule: PeriodicTask, choice: str, arguments: dict[str, object]) -> None:
    kind, __, name = choice.partition(" ")
    schedule.args = "[]"
    if kind == "job":
        schedule.task, schedule.kwargs = START_JOB, json.dumps({"kind": name, "arguments": arguments})
        schedule.expire_seconds = None
    else:
        schedule.task, schedule.kwargs = name, "{}"


def _kwargs(schedule: PeriodicTask) -> dict[str, object]:
    try:
        found = json.loads(schedule.kwargs or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
