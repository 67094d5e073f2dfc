"""Workers build the index of a collection that has outgrown it; nobody waits for that."""

import json
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops import tasks
from ops.jobs import kinds, running
from ops.jobs.models import Job, JobState
from tests.processes import manage, wait_for, worker
from tests.servers import redis_server
from tests.vectors.clouds import add, cloud, collect, state
from vectors.index import training
from vectors.index.training import is_due, rebuild
from vectors.models import Index

COMMITTED = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that workers were told of."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    found: list[str] = []
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda task, **_: found.append(task[0]))
    return found


@COMMITTED
def test_a_collection_that_has_outgrown_its_index_is_built(sent: list[str]):
    matrix = cloud(14_000)
    collection = collect(matrix[:4_000], "ivf")
    assert not is_due(state(collection), "ivf")
    assert sent == []
    add(collection, matrix[4_000:5_000], 4_000)
    job = Job.objects.get()
    assert sent == [job.pk]
    assert job.arguments == {"collection": collection.name, "only_if_due": True}
    assert running.run(job.pk) == JobState.SUCCEEDED
    assert state(collection).lists_rows == 5_000
    add(collection, matrix[5_000:7_000], 5_000)
    assert len(sent) == 1
    add(collection, matrix[7_000:10_000], 7_000)
    add(collection, matrix[10_000:], 10_000)
    assert len(sent) == 2  # one that waits does for all that is written meanwhile
    assert running.run(sent[1]) == JobState.SUCCEEDED
    assert state(collection).lists_rows == 14_000


@COMMITTED
def test_automatic_collections_have_lists_where_these_pay(monkeypatch: pytest.MonkeyPatch):
    collection = collect(cloud(5_000), "auto")
    assert not is_due(state(collection), "auto")
    monkeypatch.setattr(training, "LISTS_PAY", 5_000)
    assert is_due(state(collection), "auto")
    assert not is_due(state(collection), "exact")
    assert not is_due(state(collection), "quantised")


@COMMITTED
def test_codes_of_many_deleted_rows_are_made_anew():
    collection = collect(cloud(1_500))
    Index.objects.update(deleted=300)
    assert not is_due(state(collection), "quantised")
    Index.objects.update(deleted=301)
    assert is_due(state(collection), "quantised")
    tasks.build_later(collection.pk, "default")
    assert running.run(Job.objects.get().pk) == JobState.SUCCEEDED
    assert state(collection).deleted == 0


@COMMITTED
def test_without_workers_nobody_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kinds, "rebuild", lambda *_, **__: pytest.fail("built in the request"))
    collect(cloud(5_000), "ivf")
    assert Job.objects.get().state == JobState.WAITING


@COMMITTED
def test_other_environments_have_no_workers_to_build():
    tasks.build_later(1, "environment:staging")
    assert not Job.objects.exists()


@COMMITTED
def test_a_job_that_comes_too_late_does_nothing(monkeypatch: pytest.MonkeyPatch):
    collection = collect(cloud(5_000), "ivf")
    job = Job.objects.get()
    Index.objects.update(building=7, building_at=timezone.now())
    assert running.run(job.pk) == JobState.WAITING  # somebody else builds
    assert state(collection).lists == 0
    Index.objects.update(building=0)
    rebuild(collection, lists=50)
    monkeypatch.setattr(kinds, "rebuild", lambda *_, **__: pytest.fail("built twice"))
    Job.objects.update(not_before=timezone.now())
    assert running.run(job.pk) == JobState.SUCCEEDED
    pk = collection.pk
    collection.delete()
    tasks.build_later(pk, "default")
    assert Job.objects.count() == 1


@pytest.mark.redis
def test_a_worker_builds(tmp_path: Path):
    with redis_server(tmp_path) as redis:
        variables = {"REDIS_URL": redis.url, "AFN_DATABASE_FILE": str(tmp_path / "a.db")}
        assert manage("init_db", **variables).returncode == 0
        np.save(tmp_path / "rows.npy", cloud(5_000))
        script = f"""
import numpy as np
from vectors import store
rows = np.load({str(tmp_path / "rows.npy")!r})
notes = store.create_collection("notes", embedder="", dimensions=rows.shape[1], strategy="ivf")
store.upsert(notes, [store.Item(str(at), "x", vector=row) for at, row in enumerate(rows)])
"""
        with worker(tmp_path / "worker.log", variables):
            made = manage("shell", "-c", script, **variables)
            assert made.returncode == 0, made.stderr

            def lists() -> int:
                figures = json.loads(manage("vector_stats", "notes", "--json", **variables).stdout)
                return int(figures["index"]["lists"])

            assert wait_for(lists) > 50
