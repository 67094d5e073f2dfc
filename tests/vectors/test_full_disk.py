"""No room left while an index is built or items are written: a clear error, and everything as it was."""

import json
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pytest_django import DjangoDbBlocker

from tests.processes import MANAGE, clean_environment
from tests.prompts.databases import opened
from tests.vectors.clouds import cloud, collect, keys, near, state
from vectors import store, strategies
from vectors.index.state import State
from vectors.index.training import rebuild
from vectors.models import Collection, Index
from vectors.upkeep.verifying import verify

ROWS = 3_000
# A file system in memory needs no privileges inside a namespace of the user's own, where there are any.
_ROOM = ["unshare", "--user", "--map-root-user", "--mount"]


@dataclass
class Disk:
    """A database file with a collection `cloud` that has inverted lists."""

    file: Path
    matrix: np.ndarray
    blocker: DjangoDbBlocker

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(SECRET_KEY="k" * 50, AFN_DATABASE_FILE=str(self.file))

    @contextmanager
    def opened(self) -> Iterator[tuple[Collection, str]]:
        """The collection, as the file holds it now, and the alias of the database."""
        strategies.forget()
        with self.blocker.unblock(), opened("disk", self.file) as alias:
            yield store.get_collection("cloud", using=alias), alias

    def run(self, room: int, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in a process that cannot make a file larger than `room` bytes."""
        return subprocess.run(
            [*MANAGE, *command],
            env=self.environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def check(self, old: State) -> None:
        """The index is the old one and finds each row, and nothing half-written is there."""
        with self.opened() as (collection, alias):
            now = state(collection, alias)
            assert (now.version, now.lists, now.is_diskann) == (old.version, old.lists, old.is_diskann)
            assert verify(collection, using=alias).findings == []
            for strategy in ("exact", "quantised", "ivf", "diskann"):
                for at in (0, ROWS // 2, ROWS - 1):
                    hits = near(collection, self.matrix[at], strategy=strategy, using=alias)
                    assert keys(hits)[0] == f"k{at}"
            assert Index.objects.using(alias).get(pk=collection.pk).building == 0


@pytest.fixture
def disk(migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Disk:
    file, matrix = tmp_path / "disk.db", cloud(ROWS)
    shutil.copyfile(migrated_file, file)
    with django_db_blocker.unblock(), opened("disk", file) as alias:
        rebuild(collect(matrix, "ivf", using=alias), lists=30, using=alias)
    return Disk(file, matrix, django_db_blocker)


# The codes take 100 kB, the lists twice as much, the built-in index far more.
@pytest.mark.parametrize(
    ("strategy", "room"),
    [("quantised", 4_000), ("quantised", 60_000), ("ivf", 150_000), ("ivf", 330_000), ("diskann", 600_000)],
)
def test_a_build_without_room_leaves_the_old_index(disk: Disk, strategy: str, room: int) -> None:
    with disk.opened() as (collection, alias):
        old = state(collection, alias)
    run = disk.run(room, "rebuild_vectors", "cloud", "--strategy", strategy)
    assert run.returncode == 1
    assert run.stderr.startswith("CommandError: The database cannot be used: disk I/O error. Its disk may be")
    assert "free space where the database is, and run this again" in run.stderr
    assert run.stderr.count("\n") == 1
    disk.check(old)
    with disk.opened() as (collection, alias):
        made = rebuild(collection, strategy=strategy, using=alias)
        assert made.version != old.version or made.is_diskann
        assert verify(collection, using=alias).findings == []


def test_a_build_without_room_keeps_the_built_in_index(disk: Disk) -> None:
    with disk.opened() as (collection, alias):
        old = rebuild(collection, strategy="diskann", using=alias)
    assert old.is_diskann
    assert disk.run(150_000, "rebuild_vectors", "cloud", "--strategy", "ivf").returncode == 1
    disk.check(old)


def test_an_import_without_room_has_written_whole_batches(disk: Disk, tmp_path: Path) -> None:
    with disk.opened() as (collection, alias):
        old = state(collection, alias)
    matrix = cloud(4_000, seed=2)
    np.save(tmp_path / "more.npy", matrix)
    lines = (json.dumps({"key": f"m{at}", "text": f"more {at}"}) for at in range(len(matrix)))
    (tmp_path / "more.jsonl").write_text("\n".join(lines) + "\n")
    command = ["import_items", "cloud", str(tmp_path / "more.npy"), "--json"]
    run = disk.run(1_500_000, *command)
    assert run.returncode == 1
    assert "disk I/O error. Its disk may be full" in run.stderr
    with disk.opened() as (collection, alias):
        more = store.count(collection, using=alias) - ROWS
        assert 0 < more < len(matrix)
        assert more % 500 == 0
        now = state(collection, alias)
        assert now.version == old.version
        assert verify(collection, using=alias).findings == []
        for vector, key in ((matrix[0], "m0"), (matrix[more - 1], f"m{more - 1}"), (disk.matrix[7], "k7")):
            assert keys(near(collection, vector, using=alias))[0] == key
        assert keys(near(collection, matrix[more], using=alias))[0] != f"m{more}"
    again = disk.run(resource.RLIM_INFINITY, *command)
    figures = json.loads(again.stdout)
    assert (figures["inserted"], figures["unchanged"]) == (len(matrix) - more, more)
    with disk.opened() as (collection, alias):
        assert verify(collection, using=alias).findings == []
        assert keys(near(collection, matrix[-1], using=alias))[0] == f"m{len(matrix) - 1}"


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*_ROOM, "true"], capture_output=True).returncode != 0,
    reason="no file systems can be mounted here",
)
def test_a_disk_that_is_really_full(disk: Disk, tmp_path: Path) -> None:
    with disk.opened() as (collection, alias):
        old = state(collection, alias)
    size = disk.file.stat().st_size
    small = tmp_path / "small"
    small.mkdir()
    script = (
        'mount -t tmpfs -o size="$ROOM" tmpfs "$SMALL" && cp "$FILE" "$SMALL/disk.db" || exit 9\n'
        '"$@"; failed=$?\n'
        'cp "$SMALL"/disk.db* "$(dirname "$FILE")" && mount -o remount,size=64m "$SMALL" || exit 9\n'
        '"$@" || exit 9\n'
        "exit $failed\n"
    )
    environment = {
        "ROOM": str(size + 400_000),
        "SMALL": str(small),
        "FILE": str(disk.file),
        "AFN_DATABASE_FILE": str(small / "disk.db"),
    }
    run = subprocess.run(
        [*_ROOM, "sh", "-c", script, "sh", *MANAGE, "rebuild_vectors", "cloud", "--strategy", "ivf"],
        env=disk.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1, run.stderr
    assert "database or disk is full. Free space where the database is, and run this again" in run.stderr
    assert "3,000 codes" in run.stdout
    disk.check(old)
