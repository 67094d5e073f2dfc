"""`kill -9` at each step of each change: the file opens with its key, and the next command does the rest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from afn_project.env import BASE_DIR
from tests.processes import clean_environment


@pytest.mark.parametrize(
    ("change", "least"), [("encrypt", 15), ("decrypt", 8), ("rotate", 20), ("move", 18), ("save", 7)]
)
def test_a_change_that_is_killed_at_any_step_leaves_a_file_that_opens(
    tmp_path: Path, change: str, least: int
) -> None:
    command = [sys.executable, "-m", "tests.secure_env.killing", str(tmp_path / "place"), change]
    done = subprocess.run(
        command, env=clean_environment(), cwd=BASE_DIR, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["kills"] >= least
