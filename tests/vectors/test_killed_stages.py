"""kill -9 of a build at statements from its first to its last, while another process reads all along."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from afn_project.env import BASE_DIR
from tests.processes import clean_environment
from tests.prompts.databases import opened
from tests.vectors.clouds import cloud, collect, keys, near, state
from vectors import store
from vectors.index.training import rebuild
from vectors.models import Index
from vectors.upkeep.verifying import verify

ROWS = 2_500
POINTS = 16
_LEFT = {"leftovers"}


@pytest.mark.parametrize("strategy", ["ivf", "quantised"])
def test_readers_are_right_whichever_statement_a_build_dies_at(
    migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker, strategy: str
) -> None:
    file = tmp_path / "killed.db"
    shutil.copyfile(migrated_file, file)
    with django_db_blocker.unblock(), opened("stages", file) as alias:
        rebuild(collect(cloud(ROWS), "ivf", using=alias), lists=20, using=alias)
    here = f"import django; django.setup(); from {__name__} import *; conduct({str(file)!r}, {strategy!r})"
    environment = clean_environment(DJANGO_SETTINGS_MODULE="tests.settings", SECRET_KEY="k" * 50)
    run = subprocess.run(
        [sys.executable, "-c", here],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout)
    assert outcome["killed"] == POINTS
    assert outcome["reader"] > POINTS
    assert {"old", "new"} <= set(outcome["left"])  # some died before the switch, some after it
    with django_db_blocker.unblock(), opened("stages", file) as alias:
        collection = store.get_collection("cloud", using=alias)
        assert rebuild(collection, strategy="ivf", lists=33, using=alias).lists == 33
        assert verify(collection, using=alias).findings == []


def conduct(file: str, strategy: str) -> None:
    """Kill builds, each in a process of its own, and look at what each has left. This one opens nothing."""
    path = Path(file)
    stop, told = path.with_suffix(".stop"), path.with_suffix(".told")
    copied = path.with_suffix(".copy")
    shutil.copyfile(path, copied)
    assert wait(forked(lambda: told.write_text(str(build(str(copied), strategy, 0))))) == 0
    statements = int(told.read_text())
    reader = forked(lambda: read(file, stop, told))
    killed, left = 0, []
    for at in np.linspace(1, statements, POINTS, dtype=int):
        killed += wait(forked(lambda at=at: build(file, strategy, at))) == -signal.SIGKILL
        assert wait(forked(lambda: look(file, told.with_suffix(".left")))) == 0
        left.append(told.with_suffix(".left").read_text())
    stop.touch()
    assert wait(reader) == 0
    print(json.dumps({"killed": killed, "reader": int(told.read_text()), "left": left}))


def forked(run: Callable[[], Any]) -> int:
    """The id of a process that runs this and ends with 0, or tells why not and ends with 1."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        run()
        code = 0
    except Exception:  # noqa: BLE001 - whatever it is, a child must not go on in its parent's code
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def build(file: str, strategy: str, last: int) -> int:
    """Build anew, and die after the statement of that number; returns how many statements it takes."""
    count = 0

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal count
        result = execute(*arguments)
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    with opened("stages", file) as alias:
        collection = store.get_collection("cloud", using=alias)
        with connections[alias].execute_wrapper(counted):
            lists = 20 + last % 50 if strategy == "ivf" else 0
            rebuild(collection, strategy=strategy, lists=lists, using=alias)
    return count


def read(file: str, stop: Path, told: Path) -> None:
    """Search by every strategy until `stop` is there; each row has to find itself, nearest of all."""
    matrix, chance, searches = cloud(ROWS), random.Random(1), 0
    with opened("stages", file) as alias:
        while not stop.exists():
            at = chance.randrange(ROWS)
            for strategy in ("exact", "quantised", "ivf"):
                hits = near("cloud", matrix[at], strategy=strategy, using=alias).hits
                assert (hits[0].key, len(hits)) == (f"k{at}", 10)
                assert abs(hits[0].distance) < 1e-5
                searches += 1
    told.write_text(str(searches))


def look(file: str, left: Path) -> None:
    """Is the index one of two, and whole? Which, goes to `left`. Then nobody builds any more."""
    with opened("stages", file) as alias:
        collection = store.get_collection("cloud", using=alias)
        assert {one.check for one in verify(collection, using=alias).findings} <= _LEFT
        index = Index.objects.using(alias).get(pk=collection.pk)
        left.write_text("old" if index.building else "new")
        Index.objects.using(alias).update(building_at=None)  # instead of waiting two minutes


def test_a_built_in_index_that_is_killed_is_not_there(
    migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    file = tmp_path / "killed.db"
    shutil.copyfile(migrated_file, file)
    matrix = cloud(ROWS)
    with django_db_blocker.unblock(), opened("stages", file) as alias:
        old = rebuild(collect(matrix, "diskann", using=alias), lists=0, using=alias)
    here = f"import django; django.setup(); from {__name__} import *; build_built_in({str(file)!r})"
    environment = clean_environment(DJANGO_SETTINGS_MODULE="tests.settings", SECRET_KEY="k" * 50)
    command = [sys.executable, "-c", here]
    with subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"CREATE INDEX\n"
        time.sleep(0.2)  # of some seconds
        process.kill()
    assert process.returncode == -signal.SIGKILL
    with django_db_blocker.unblock(), opened("stages", file) as alias:
        collection = store.get_collection("cloud", using=alias)
        assert (state(collection, alias).version, state(collection, alias).is_diskann) == (old.version, False)
        assert keys(near(collection, matrix[5], using=alias))[0] == "k5"
        assert near(collection, matrix[5], using=alias).plan["strategy"] == "quantised"
        assert verify(collection, using=alias).findings == []
        assert rebuild(collection, strategy="diskann", using=alias).is_diskann
        near(collection, matrix[5], using=alias)  # tells this process of it
        assert near(collection, matrix[5], using=alias).plan["strategy"] == "diskann"


def build_built_in(file: str) -> None:
    """Build libSQL's own index, and say when that begins, which is one statement."""

    def told(execute: Callable[..., Any], statement: str, *arguments: Any) -> Any:
        if statement.startswith("CREATE INDEX"):
            print("CREATE INDEX", flush=True)
        return execute(statement, *arguments)

    with opened("stages", file) as alias, connections[alias].execute_wrapper(told):
        rebuild(store.get_collection("cloud", using=alias), strategy="diskann", using=alias)
