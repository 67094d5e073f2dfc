"""A place where all is well: a file with prompts that are found, its backups, folders of its own."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.backups.making import back_up
from ops.backups.models import BackupDrill
from ops.doctor import areas
from ops.doctor.examining import Case
from ops.doctor.findings import Finding
from ops.environments import current
from ops.environments.local import Provider
from ops.scheduling.models import SchedulerLease
from prompts.indexing import index_everything
from tests.ops.backups.conftest import ENTRY, TEXTS, at
from tests.prompts.databases import save

Found = dict[str, Finding]
Look = Callable[..., Found]


@pytest.fixture(scope="session")
def filled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database with prompts is kept, to be copied."""
    return tmp_path_factory.mktemp("doctor") / "filled.db"


@pytest.fixture
def place(
    migrated_file: Path,
    filled: Path,
    db: None,
    fake_embedder: None,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Provider:
    settings.AFN_BACKUPS_DIR = tmp_path / "backups"
    settings.AFN_ENVIRONMENTS_DIR = tmp_path / "environments"
    settings.AFN_RUN_DIR = tmp_path / "run"
    settings.AFN_BACKUP_KEY = str(pyrage.x25519.Identity.generate())
    settings.AFN_BACKUP_RECIPIENTS = []
    settings.AFN_BACKUP_REDIS_URL = settings.AFN_BACKUPS_S3_BUCKET = settings.REDIS_URL = ""
    settings.AFN_SCHEDULE = True
    for folder in (settings.AFN_BACKUPS_DIR, settings.AFN_ENVIRONMENTS_DIR, settings.AFN_RUN_DIR):
        folder.mkdir(mode=0o700)
    main = tmp_path / "live.db"
    if not filled.exists():
        shutil.copyfile(migrated_file, filled)
        with at(filled) as alias:
            for name, content in TEXTS.items():
                save(alias, name, content)
            index_everything(using=alias)
    shutil.copyfile(filled, main)
    main.chmod(0o600)
    provider = Provider(
        main=main,
        main_name="live",
        folder=settings.AFN_ENVIRONMENTS_DIR,
        entry=ENTRY,
        current="live",
    )
    monkeypatch.setattr(current, "get_provider", lambda: provider)
    return provider


@pytest.fixture
def file(place: Provider) -> Path:
    return Path(place.get("live").address)


@pytest.fixture
def case(file: Path) -> Case:
    return Case({**ENTRY, "NAME": str(file)})


@pytest.fixture
def look(case: Case) -> Look:
    """What one examination finds, by the names of what it found."""

    def run(area: str, name: str, **changes: Any) -> Found:
        [examination] = [one for one in areas.ALL if (one.area, one.name) == (area, name)]
        for field, value in changes.items():
            setattr(case, field, value)
        return {finding.name: finding for finding in examination.run(case)}

    return run


@pytest.fixture
def sound(place: Provider, file: Path) -> Path:
    """The file, with a backup that was proved, and a process that follows the schedules."""
    made = back_up(place)
    now = timezone.now()
    with at(file) as alias:
        BackupDrill.objects.using(alias).create(backup=made.path.name, sha256="0" * 64, ok=True)
        SchedulerLease.objects.using(alias).create(
            name="schedules", holder=f"machine {os.getpid()} 0123", until=now + timedelta(minutes=10)
        )
    return file


def levels(found: Found) -> dict[str, str]:
    return {name: finding.status.value for name, finding in found.items() if finding.status != "ok"}
