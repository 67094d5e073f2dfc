"""Commands that are forked behave as those that are started."""

import subprocess
import sys
import time
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from .processes import MANAGE, clean_environment, zygote
from .zygote import WARM

SCRIPT = """
import atexit, os, sys
atexit.register(print, "at exit")
print(sys.argv[1:], os.environ.get("CANARY"), os.getcwd(), sys.stdin.read() or "no input")
print("日本語", file=sys.stderr)
{end}
"""


@pytest.mark.parametrize(
    "end", ["", "sys.exit(3)", "sys.exit('a reason')", "1 / 0", "os.kill(os.getpid(), 9)", "raise SystemExit"]
)
def test_output_and_exit_code_are_the_same(tmp_path: Path, end: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(end=end), encoding="utf-8")
    environment, command = clean_environment(CANARY="here"), [str(script), "a", "b c"]
    usual = subprocess.run(
        [sys.executable, *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    forked = zygote().run(command, environment, timeout=30)
    assert (forked.returncode, forked.stdout) == (usual.returncode, usual.stdout)
    # In a traceback stands by what a script was started.
    assert forked.stderr.splitlines()[-1:] == usual.stderr.splitlines()[-1:]


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    started = time.monotonic()
    with pytest.raises(TimeoutExpired) as late:
        zygote().run([str(script)], clean_environment(), timeout=1)
    assert time.monotonic() - started < 20
    assert late.value.output == "begun\n"


SHOW = "import os; from django.conf import settings; print(settings.TIME_ZONE, os.environ['TZ'], os.getpid())"


def test_settings_are_those_of_the_environment_however_often_it_comes() -> None:
    command, seen = [*MANAGE[1:], "shell", "-v", "0", "-c", SHOW], set()
    for zone in ("Asia/Tokyo", "UTC", "Asia/Tokyo", "UTC", "UTC", "Asia/Tokyo"):
        variables = {"SECRET_KEY": "k" * 50, "AFN_DATABASE_FILE": ":memory:", "TIME_ZONE": zone}
        done = zygote().run(command, clean_environment(**variables), timeout=60)
        *zones, process = done.stdout.split()
        assert zones == [zone, zone]
        seen.add(process)
    assert len(seen) == 6


def test_settings_that_are_refused_are_refused_each_time() -> None:
    variables = {"SECRET_KEY": "k" * 50, "AFN_DATABASE_FILE": ":memory:", "DB_POOL_TIMEOUT": "soon"}
    for _ in range(3):
        done = zygote().run([*MANAGE[1:], "check"], clean_environment(**variables), timeout=60)
        assert done.returncode == 1
        assert "DB_POOL_TIMEOUT" in done.stderr


def test_of_many_environments_the_newest_stay_warm() -> None:
    script = [*MANAGE[1:], "shell", "-v", "0", "-c", "print(1)"]
    for number in range(WARM + 1):
        for _ in range(2):
            variables = {"SECRET_KEY": "k" * 50, "AFN_DATABASE_FILE": ":memory:", "CANARY": str(number)}
            zygote().run(script, clean_environment(**variables), timeout=60)
    assert sum(one is not None for one in zygote()._warm.values()) == WARM
