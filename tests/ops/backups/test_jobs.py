"""Backups as jobs: by the schedule, with progress and their outcome in a row."""

from collections.abc import Callable
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask
from pytest_django.fixtures import Settings

from ops import jobs
from ops.backups import folder, s3
from ops.backups.errors import BackupProblem, NotProved
from ops.backups.making import Backup
from ops.backups.models import BackupDrill
from ops.environments.local import Provider
from ops.jobs.models import Job, JobState
from tests.ops.backups.crafting import rewrite
from vectors.progress import Meter

Run = Callable[..., Job]


@pytest.fixture
def run(place: Provider, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("ops.backups.jobs.get_provider", lambda: place)
    return lambda kind, **arguments: jobs.run_here(kind, arguments, meter=Meter(kind, quiet=True))


def test_a_backup_is_made_proved_and_pruned(run: Run) -> None:
    made = run("back_up")
    assert made.state == JobState.SUCCEEDED, made.cause
    (stored,) = folder.stored("live")
    assert made.result["path"] == str(stored.path)
    proved = run("drill_backup")
    assert proved.state == JobState.SUCCEEDED, proved.cause
    assert proved.result["ok"] is True
    assert run("prune_backups").result["kept"] == [str(stored.path)]


def test_a_drill_that_fails_is_a_job_that_failed_with_the_cause(run: Run, make: Callable[[], Backup]) -> None:
    rewrite(make().path, held=lambda one: one["tables"]["prompts"].update(rows=9))
    with pytest.raises(NotProved):
        run("drill_backup")
    failed = Job.objects.get(kind="drill_backup")
    assert failed.state == JobState.FAILED
    assert "prompts: expected 9 rows" in failed.cause
    assert BackupDrill.objects.get().ok is False


def test_without_a_backup_a_drill_says_what_to_do(run: Run) -> None:
    with pytest.raises(BackupProblem, match="backup_database"):
        run("drill_backup")


def test_where_there_is_a_bucket_a_job_brings_it_there(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AFN_BACKUPS_S3_BUCKET = "afn-backups"
    sent: list[Any] = []
    monkeypatch.setattr(s3, "stored", lambda environment="": [])
    monkeypatch.setattr(s3, "upload", lambda file, told: sent.append(file) or "s3://afn-backups/x")
    run("back_up")
    waiting = Job.objects.get(kind="upload_backups")
    assert waiting.state in (JobState.WAITING, JobState.SUCCEEDED)
    assert run("upload_backups").result == {"address": "s3://afn-backups/x"}
    assert sent[-1] == folder.stored("live")[0].path


def test_they_are_done_every_night(db: None) -> None:
    nightly = {
        task.name: (task.crontab.hour, task.crontab.minute, task.enabled)
        for task in PeriodicTask.objects.exclude(crontab=None)
    }
    assert nightly["Back up"] == ("2", "0", True)
    assert nightly["Prove the newest backup"] == ("2", "30", True)
    assert nightly["Remove old backups"] == ("3", "0", True)
