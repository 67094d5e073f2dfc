"""Jobs in words of the reader's language: what they do, with what, how far they are, what came of them.

Rows hold English, for commands and the API show the same ones: titles of kinds, steps, causes. What AFN says
there itself is marked here; what is not known is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from vectors.admin.display import count

from . import registry
from .models import Job, JobState

_TITLES: Final = {
    gettext_noop("Build an index"),
    gettext_noop("Embed a collection anew"),
    gettext_noop("Embed the prompts"),
    gettext_noop("Empty the trash"),
    gettext_noop("Shorten the audit log"),
    gettext_noop("Clean up"),
    gettext_noop("Back up"),
    gettext_noop("Bring backups to the bucket"),
    gettext_noop("Prove a backup"),
    gettext_noop("Read a backup to its end"),
    gettext_noop("Remove old backups"),
    gettext_noop("Measure recall and latency"),
    gettext_noop("Measure the quality of search"),
    gettext_noop("Find near-duplicates"),
    gettext_noop("Compare two embedding models"),
    gettext_noop("Draw a map of a collection"),
}
_STEPS: Final = {
    gettext_noop("rows coded"),
    gettext_noop("texts embedded"),
    gettext_noop("prompts read"),
    gettext_noop("settings tried"),
    gettext_noop("queries searched"),
    gettext_noop("blocks compared"),
    gettext_noop("Copying"),
    gettext_noop("Packing"),
    gettext_noop("Reading the rows"),
    gettext_noop("Unpacking"),
    gettext_noop("Comparing"),
    gettext_noop("Uploading"),
    gettext_noop("Downloading"),
    gettext_noop("Migrating"),
    gettext_noop("Redis"),
}
_OF_BYTES: Final = {"Copying", "Packing", "Unpacking", "Uploading", "Downloading", "Redis"}
_NAMES: Final = {
    "actor": gettext_lazy("Started by"),
    "address": gettext_lazy("Address"),
    "answers": gettext_lazy("Kept answers deleted"),
    "backup": gettext_lazy("Backup"),
    "batch": gettext_lazy("Texts at a time"),
    "bytes": gettext_lazy("Size"),
    "collection": gettext_lazy("Collection"),
    "counts": gettext_lazy("Tables counted"),
    "database_bytes": gettext_lazy("Size of the database"),
    "database_encrypted": gettext_lazy("Database encrypted by its own key"),
    "days": gettext_lazy("Days"),
    "deleted": gettext_lazy("Deleted"),
    "dimensions": gettext_lazy("Dimensions"),
    "diskann": gettext_lazy("DiskANN"),
    "embedder": gettext_lazy("Embedder"),
    "encrypted": gettext_lazy("Encrypted"),
    "engine": gettext_lazy("Engine"),
    "environment": gettext_lazy("Environment"),
    "created_at": gettext_lazy("Made at"),
    "exact": gettext_lazy("Exact"),
    "format": gettext_lazy("Format"),
    "hashes": gettext_lazy("Tables hashed"),
    "items": gettext_lazy("Items"),
    "judged": gettext_lazy("By judgements"),
    "k": gettext_lazy("Results"),
    "keep_days": gettext_lazy("Days to keep"),
    "kept": gettext_lazy("Kept"),
    "lines": gettext_lazy("Lines deleted"),
    "lists": gettext_lazy("Lists"),
    "method": gettext_lazy("Method"),
    "missing": gettext_lazy("Missing"),
    "model": gettext_lazy("Model"),
    "notes": gettext_lazy("Notes"),
    "ok": gettext_lazy("All is as it was backed up"),
    "omitted": gettext_lazy("Left out"),
    "only_if_due": gettext_lazy("Only if it is due"),
    "path": gettext_lazy("File"),
    "probes": gettext_lazy("Searches asked again"),
    "problems": gettext_lazy("Problems"),
    "prompts": gettext_lazy("Prompts"),
    "rate": gettext_lazy("Texts a second at most"),
    "rebuild": gettext_lazy("From nothing"),
    "recall": gettext_lazy("Recall"),
    "redis_bytes": gettext_lazy("Size of what Redis held"),
    "refused": gettext_lazy("Refused"),
    "removed": gettext_lazy("Removed"),
    "rows": gettext_lazy("Rows"),
    "seconds": gettext_lazy("Took"),
    "sessions": gettext_lazy("Sessions deleted"),
    "sha256": "SHA-256",
    "skipped": gettext_lazy("Nothing to do"),
    "slow_queries": gettext_lazy("Slow queries deleted"),
    "steps": gettext_lazy("Time of each step"),
    "strategy": gettext_lazy("Strategy"),
    "tables": gettext_lazy("Tables"),
    "threshold": gettext_lazy("Threshold"),
    "tools": gettext_lazy("Made by"),
    "word": gettext_lazy("Word"),
    "written": gettext_lazy("Written"),
}
_STATES: Final = {
    "waiting": ("warning", gettext_lazy("waiting")),
    "running": ("info", gettext_lazy("running")),
    "succeeded": ("success", gettext_lazy("succeeded")),
    "failed": ("danger", gettext_lazy("failed")),
    "cancelled": ("default", gettext_lazy("cancelled")),
}
# By the class of an error, with which a cause begins.
_REMEDIES: Final = {
    "EmbedderError": gettext_lazy(
        "The embedding service failed. Look at Health, at its key and its limits; then try again."
    ),
    "IndexBusy": gettext_lazy("Somebody else builds the index. Try again when that is done."),
    "MigrationBusy": gettext_lazy("Another job embeds this collection. Try again when that is done."),
    "OperationalError": gettext_lazy(
        "The database was busy, frozen or out of reach. Look at Health; then try again."
    ),
    "NoSpace": gettext_lazy("Free space on that disk; then try again."),
    "WrongKey": gettext_lazy("Set the key that it names, restart AFN; then try again."),
    "DamagedBackup": gettext_lazy("Make another backup now, and prove it."),
    "NotProved": gettext_lazy("This backup cannot be relied on. Make another one now, and prove it."),
    "Unsuitable": gettext_lazy("This backup is for another AFN: the cause says for which."),
    "BackupProblem": gettext_lazy("Mend what the cause names; then try again."),
    "NotThere": gettext_lazy("What it was for is gone. Start it anew, for something that is there."),
    "RegistryProblem": gettext_lazy("Its arguments do not fit. Start it anew, with others."),
}
_WORKER_DIED: Final = "the worker died"


def title_of(kind: str) -> str:
    title = registry.title_of(kind)
    return _(title) if title in _TITLES else title


def describe(job: Job) -> str:
    """What it does, and with what."""
    title, rest = registry.title_of(job.kind), registry.describe(job.kind, job.arguments)
    return title_of(job.kind) + rest.removeprefix(title)


def name_of(field: str) -> str:
    if field in _NAMES:
        return str(_NAMES[field])
    return field.replace("_", " ").capitalize()


def state_of(job: Job) -> tuple[str, str]:
    """A colour, and the word."""
    colour, word = _STATES.get(str(job.state), ("default", str(job.state)))
    return colour, str(word)


def state_word(state: str) -> str:
    return str(_STATES[state][1]) if state in _STATES else state


def step_of(job: Job) -> str:
    """Such as "412,000 / 1,000,000 rows coded", empty where nothing was said yet."""
    step = _(job.message) if job.message in _STEPS else job.message
    shown = filesizeformat if job.message in _OF_BYTES else count
    if job.total is not None:
        text = f"{shown(job.done)} / {shown(job.total)}"
    elif job.done or not step:
        text = str(shown(job.done))
    else:
        text = ""
    text = f"{text} {step}".strip()
    if job.state == JobState.RUNNING and job.cancel_requested_at:
        text += f" · {_('to be cancelled')}"
    return text if job.total is not None or job.done or job.message or job.cancel_requested_at else ""


def attempts_of(job: Job) -> str:
    return _("%(attempt)s of %(most)s") % {"attempt": job.attempts, "most": job.max_attempts}


def remedy_of(job: Job) -> str:
    """What to do about its cause."""
    name = re.match(r"\w+", job.cause)
    if name and name[0] in _REMEDIES:
        return str(_REMEDIES[name[0]])
    if job.cause.startswith(_WORKER_DIED):
        return _("Look at the memory of the machine and into the worker's log; then try again.")
    return _("The log of the process that worked on it has the whole error. Mend that, then try again.")


def will_try_again(job: Job) -> str:
    left = max(0, job.max_attempts - job.attempts)
    text = ngettext(
        "It is tried again by itself, once more.", "It is tried again by itself, up to %(count)s times.", left
    )
    return text % {"count": left}


def pairs(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name_of(name), value) for name, value in values.items()]
