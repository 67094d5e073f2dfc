"""A database file of the test's own, with prompts that can be searched, and a folder for its backups."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyrage
import pytest
from pytest_django.fixtures import Settings

from ops.backups.making import Backup, back_up
from ops.environments.local import Provider
from ops.environments.opening import opened_database
from prompts.models import Prompt
from tests.prompts.databases import save

TEXTS = {
    "mail/summary": "Summarise the letter in three sentences.",
    "mail/reply": "Write a friendly answer to the letter.",
    "translate/ja": "次の文章を日本語に翻訳してください。",
    "code/review": "Review the change and name what is wrong.",
}


ENTRY: dict[str, Any] = {
    "ENGINE": "afn_project.libsql",
    "OPTIONS": {},
    "ATOMIC_REQUESTS": False,
    "AUTOCOMMIT": True,
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": False,
    "TIME_ZONE": None,
    "TEST": {},
}


def at(file: Path) -> AbstractContextManager[str]:
    """The alias of a database file, within a block."""
    return opened_database(f"at:{file.name}", {**ENTRY, "NAME": str(file)})


@pytest.fixture
def place(migrated_file: Path, db: None, fake_embedder: None, tmp_path: Path, settings: Settings) -> Provider:
    """An environment `live`, a file with a few prompts, which is the current one."""
    settings.AFN_BACKUPS_DIR = tmp_path / "backups"
    settings.AFN_BACKUP_KEY = ""
    settings.AFN_BACKUP_RECIPIENTS = []
    settings.AFN_BACKUP_REDIS_URL = ""
    settings.AFN_BACKUPS_S3_BUCKET = ""
    main = tmp_path / "live.db"
    shutil.copyfile(migrated_file, main)
    with at(main) as alias:
        for name, content in TEXTS.items():
            save(alias, name, content)
    return Provider(
        main=main, main_name="live", folder=tmp_path / "environments", entry=ENTRY, current="live"
    )


@pytest.fixture
def key(settings: Settings) -> pyrage.x25519.Identity:
    identity = pyrage.x25519.Identity.generate()
    settings.AFN_BACKUP_KEY = str(identity)
    return identity


@pytest.fixture
def make(place: Provider) -> Callable[[], Backup]:
    return lambda: back_up(place)


def names(file: Path) -> set[str]:
    """The prompts that a database file holds."""
    with at(file) as alias:
        return set(Prompt.objects.using(alias).values_list("name", flat=True))
