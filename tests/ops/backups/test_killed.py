"""A kill of a backup or a restore leaves the old state or the new one; AFN_EVERY_STEP=1 tries each step."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from afn_project.env import BASE_DIR
from tests.processes import clean_environment

STEPS = 0 if os.environ.get("AFN_EVERY_STEP") else 8


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_a_kill_at_any_step_leaves_old_or_new(what: str, tmp_path: Path, migrated_file: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    shutil.copyfile(migrated_file, folder / "live.db")
    environment = clean_environment(
        SECRET_KEY="k" * 50,
        AFN_DATABASE_FILE=str(folder / "live.db"),
        AFN_BACKUPS_DIR=str(folder / "backups"),
        AFN_ENVIRONMENTS_DIR=str(folder / "environments"),
        DJANGO_SETTINGS_MODULE="afn_project.settings",
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.ops.backups.killing", what, str(folder), str(STEPS)],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == [], done.stdout
    assert found["tried"] >= min(8, found["steps"])
