"""What an operator is told while a database is lost or broken, and what finds the restored one by itself."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.processes import manage

BEAT = """
import os
from celery import current_app
from django.db import connection
from ops.beat import OneBeat
from ops.scheduling.lease import Lease
from ops.scheduling.models import SchedulerLease

seconds = [0.0]
beat = OneBeat(app=current_app._get_current_object(), lease=Lease(clock=lambda: seconds[0]))
beat.tick()
before = SchedulerLease.objects.count()
os.replace(os.environ["RESTORED"], os.environ["AFN_DATABASE_FILE"])
seconds[0] = 60.0
beat.tick()
connection.close()
print(before, SchedulerLease.objects.count())
"""


@pytest.fixture
def file(migrated_file: Path, tmp_path: Path) -> Path:
    return shutil.copyfile(migrated_file, tmp_path / "afn.db")


def test_the_backups_are_listed_while_the_database_is_lost(tmp_path: Path) -> None:
    (tmp_path / "prod-20260101T020000Z.afnbackup").write_bytes(b"a backup")
    done = manage("list_backups", AFN_DATABASE_FILE=str(tmp_path / "lost.db"), AFN_BACKUPS_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "prod-20260101T020000Z.afnbackup" in done.stdout
    assert "no such table" in done.stderr
    assert "restore_database FILE" in done.stderr


def test_a_migration_that_fails_says_how_to_go_on(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM django_migrations WHERE app = 'prompts' AND name >= '0016'")
        database.execute("DROP TABLE evaluations")
    done = manage("init_db", AFN_DATABASE_FILE=str(file))
    assert done.returncode == 1
    assert "CommandError: A migration failed, and what it did is undone: no such table" in done.stderr
    assert "Run the version of AFN before it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_run_by_hand_fails_in_one_line(file: Path, tmp_path: Path) -> None:
    done = manage(
        "jobs", "run", "drill_backup", AFN_DATABASE_FILE=str(file), AFN_BACKUPS_DIR=str(tmp_path / "none")
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("CommandError: ")
    assert "Traceback" not in done.stderr


def test_the_scheduler_goes_on_in_the_file_that_a_restore_has_put_there(
    file: Path, migrated_file: Path, tmp_path: Path
) -> None:
    restored = shutil.copyfile(migrated_file, tmp_path / "restored.db")
    done = manage("shell", "-v", "0", "-c", BEAT, AFN_DATABASE_FILE=str(file), RESTORED=str(restored))
    assert done.stdout.split()[-2:] == ["1", "1"], done.stdout + done.stderr
