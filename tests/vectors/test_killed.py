"""kill -9 of a build at any moment leaves the old index or the new, and no rest that stays."""

import json
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.processes import MANAGE, clean_environment, manage
from tests.prompts.databases import opened
from tests.vectors.clouds import cloud, collect, keys, near, state
from vectors import strategies
from vectors.index.training import rebuild
from vectors.models import Index
from vectors.upkeep.verifying import verify

ROWS = 12_000


@pytest.mark.parametrize("seed", range(3))
def test_a_build_that_is_killed_leaves_an_index_that_works(
    migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker, seed: int
):
    file = tmp_path / "killed.db"
    shutil.copyfile(migrated_file, file)
    variables = {"AFN_DATABASE_FILE": str(file)}
    matrix, moments = cloud(ROWS, seed), random.Random(seed)
    with django_db_blocker.unblock(), opened("killed", file) as alias:
        collection = collect(matrix, "ivf", using=alias)
        old = rebuild(collection, lists=40, using=alias)
    for _ in range(3):
        build_and_kill(moments.uniform(0.8, 2.5), variables)
        with django_db_blocker.unblock(), opened("killed", file) as alias:
            strategies.forget()
            now = state(collection, alias)
            assert now.lists in (40, 60)
            assert (now.version == old.version) == (now.lists == 40)
            found = {finding.check for finding in verify(collection, using=alias).findings}
            assert found <= {"leftovers"}
            for at in moments.sample(range(ROWS), 20):
                assert keys(near(collection, matrix[at], using=alias))[0] == f"k{at}"
            Index.objects.using(alias).update(building_at=None)  # instead of waiting two minutes
    with django_db_blocker.unblock(), opened("killed", file) as alias:
        assert rebuild(collection, lists=50, using=alias).lists == 50
        assert verify(collection, using=alias).findings == []
    report = json.loads(manage("verify_vectors", "cloud", "--json", **variables).stdout)
    assert (report["sound"], report["rows"]) == (True, ROWS)


def build_and_kill(seconds: float, variables: dict[str, str]) -> None:
    build = subprocess.Popen(
        [*MANAGE, "rebuild_vectors", "cloud", "--lists", "60"],
        env=clean_environment(SECRET_KEY="k" * 50, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    build.kill()
    build.wait()
