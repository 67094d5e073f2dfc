"""The log in a file: private, shared by processes, and moved away under them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.processes import manage, wait_for

from .conftest import Log

Make = Callable[..., Log]
WRITER = """
import logging, sys
from afn_project.logs.files import PrivateFileHandler
logger = logging.getLogger("w")
logger.addHandler(PrivateFileHandler(sys.argv[1], encoding="utf-8"))
for number in range(3000):
    logger.warning("%s %d %s", sys.argv[2], number, "x" * 200)
    if number == 100:
        print("going", flush=True)
"""


def test_a_file_is_private_and_has_the_lines_of_the_console(log: Make, file: Path) -> None:
    found = log(afn_log_file=file, afn_log_format="json")
    found.logger.info("プロンプト Bearer canary-9f31e07b")
    assert file.read_text(encoding="utf-8") == found.text
    assert file.stat().st_mode & 0o777 == 0o600


def test_several_processes_write_while_the_file_is_moved_away(file: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    for one in writers:
        assert one.stdout is not None
        assert one.stdout.readline() == "going\n"
    for turn in range(5):
        file.rename(file.with_suffix(f".{turn}"))
        wait_for(lambda: file.exists() or all(one.poll() is not None for one in writers))
        if not file.exists():
            break
    assert [one.wait(60) for one in writers] == [0, 0, 0]
    for one in writers:
        one.stdout.close()  # type: ignore[union-attr]
    lines = [line for part in file.parent.glob("afn*") for line in part.read_text().splitlines()]
    expected = {f"{name} {number} {'x' * 200}" for name in "abc" for number in range(3000)}
    assert len(lines) == len(expected)
    assert set(lines) == expected
    assert len(list(file.parent.glob("afn*"))) > 1
    assert {part.stat().st_mode & 0o777 for part in file.parent.glob("afn*")} == {0o600}


def test_a_file_that_cannot_be_written_stops_the_start(log: Make, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"AFN_LOG_FILE: expected a file .*No such file"):
        log(afn_log_file=tmp_path / "none" / "afn.log")
    done = manage("check", AFN_LOG_FILE=str(tmp_path), AFN_DATABASE_FILE=":memory:")
    assert done.returncode == 1
    assert "AFN_LOG_FILE" in done.stderr
    assert "Traceback" not in done.stderr
