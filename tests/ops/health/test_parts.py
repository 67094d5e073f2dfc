"""What each part's look finds, on real databases, folders and servers."""

import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from afn_project.libsql.errors import WritesBlocked
from afn_project.libsql.sync import Syncer, SyncStatus
from afn_project.metrics import judge_copy, probe_replica
from ops.backups.models import BackupDrill
from ops.backups.names import BackupName
from ops.health import signs
from ops.health.parts import backups, database, disk, embedder, jobs, redis, scheduler, search, workers
from ops.health.states import Finding, Status
from ops.jobs.models import Job, JobState
from ops.scheduling.models import SchedulerLease
from prompts import indexing
from prompts.models import Prompt, User
from tests.ops.redis.conftest import secured_redis
from tests.servers import Server, redis_server
from vectors.errors import EmbedderError
from vectors.relevance.models import EvaluationRun

from .conftest import Watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    with redis_server(tmp_path, "--maxmemory", "100mb") as made:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = made.url
        yield made


@pytest.fixture(autouse=True)
def no_sign_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_noted", 0.0)


def values(finding: Finding) -> dict[str, float]:
    return {one.name: one.value for one in finding.samples}


def test_the_database_is_read_and_written_and_keeps_one_row() -> None:
    for _ in range(3):
        assert database.probe().status == Status.OK
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, count FROM health_signs")
        assert cursor.fetchall() == [("write", 3)]


def test_a_frozen_database_is_not_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise WritesBlocked("we move house, ask canary@example.org")

    monkeypatch.setattr(signs, "note", refuse)
    found = database.probe()
    assert found.status == Status.DEGRADED
    assert "frozen" in found.detail
    assert "canary" not in found.detail


def test_a_database_that_cannot_be_written_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise OperationalError("database or disk is full: /srv/canary.db")

    monkeypatch.setattr(signs, "note", fail)
    found = database.probe()
    assert found.status == Status.DOWN
    assert "canary" not in found.detail


@pytest.mark.redis
def test_redis_tells_its_figures(server: Server) -> None:
    found = redis.probe()
    assert found.status == Status.OK
    assert values(found)["afn_redis_memory_max_bytes"] == 100 * 1_048_576
    assert "cache_hit_rate" not in values(found)  # nobody has read anything
    with redis.client(server.url) as client:
        client.set("afn:a", 1)
        client.get("afn:a")
        client.get("afn:b")
    assert values(redis.probe())["cache_hit_rate"] == 0.5
    assert redis.probe_broker().status == Status.DISABLED


@pytest.mark.redis
def test_redis_whose_memory_is_nearly_full_is_degraded(server: Server) -> None:
    with redis.client(server.url) as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 1_000)
    assert redis.probe().status == Status.DEGRADED


@pytest.mark.redis
def test_a_queue_apart_is_a_part_of_its_own(server: Server, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    with redis_server(tmp_path / "broker") as broker:
        settings.CELERY_BROKER_URL = broker.url
        assert redis.probe_broker().status == Status.OK
        assert {one.labels["use"] for one in redis.probe_broker().samples} == {"queue"}
        assert redis.probe().status == Status.OK


@pytest.mark.redis
def test_workers_are_known_by_their_last_sign(server: Server) -> None:
    assert workers.probe() == Finding(Status.DOWN, "no worker has given a sign")
    workers.give_sign()
    assert workers.probe().status == Status.OK
    with redis.client(server.url) as client:
        client.set("afn:health:worker", time.time() - 9)
    assert workers.probe().status == Status.DOWN


@pytest.mark.redis
@pytest.mark.parametrize("tls", [False, True])
def test_the_users_of_redis_have_the_rights_for_it(tmp_path: Path, settings: Settings, tls: bool) -> None:
    with secured_redis(tmp_path, tls=tls) as secured:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = secured.url("worker")
        workers.give_sign()
        assert workers._noted
        settings.REDIS_URL, settings.CELERY_BROKER_URL = secured.url("app"), secured.url("worker")
        assert [probe().status for probe in (workers.probe, redis.probe, redis.probe_broker)] == [
            Status.OK
        ] * 3


def test_without_redis_there_is_nothing_to_look_at() -> None:
    for probe in (redis.probe, redis.probe_broker, workers.probe):
        assert probe().status == Status.DISABLED


def test_a_vector_finds_itself(fake_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert search.probe().status == Status.OK
    user = User.objects.create(username="aoi")
    for number in range(5):
        Prompt(name=f"a/{number}", title=f"title {number}", content=f"text {number}", user=user).save()
    found = search.probe()
    assert (found.status, found.samples) == (Status.OK, [])
    collection = indexing.get_collection()
    for mean in (0.8, 0.9):
        EvaluationRun.objects.create(
            collection=collection, mode="hybrid", source="judgements", n=1,
            metrics={"recall@10": {"mean": mean, "low": 0, "high": 1}},
        )  # fmt: skip
    assert values(search.probe()) == {"afn_recall": 0.9}
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM vec_{collection.pk}_items")
    assert search.probe().status == Status.DOWN


def test_jobs_are_late_by_the_oldest_that_is_due() -> None:
    now = timezone.now()
    Job.objects.create(kind="clean_up", not_before=now + timedelta(hours=1))
    assert jobs.probe().status == Status.OK
    Job.objects.create(kind="clean_up", not_before=now - timedelta(minutes=5))
    Job.objects.create(kind="clean_up", state=JobState.RUNNING, not_before=now - timedelta(hours=5))
    found = jobs.probe()
    assert found.status == Status.DEGRADED
    assert 300 <= values(found)["afn_queue_age_seconds"] < 310
    assert (values(found)["afn_jobs_waiting"], values(found)["afn_jobs_running"]) == (2, 1)


def test_jobs_that_are_over_are_counted_by_kind_and_outcome() -> None:
    for kind, outcome in (("rebuild_index", "failed"), ("rebuild_index", "failed"), ("a b", "succeeded")):
        signs.note_job(kind, outcome)
    assert signs.counted_jobs() == {("rebuild_index", "failed"): 2, ("a b", "succeeded"): 1}


def test_the_scheduler_is_known_by_its_lease(settings: Settings) -> None:
    settings.AFN_SCHEDULE = True
    SchedulerLease.objects.all().delete()
    assert scheduler.probe().status == Status.DEGRADED
    SchedulerLease.objects.create(name="schedules", holder="h", until=timezone.now() + timedelta(seconds=9))
    assert scheduler.probe().status == Status.OK
    SchedulerLease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert scheduler.probe().status == Status.DEGRADED
    settings.AFN_SCHEDULE = False
    assert scheduler.probe().status == Status.DISABLED


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("total", "free", "status"),
    [(10**12, 5 * 10**10, Status.OK), (10**9, 10**8, Status.OK), (10**10, 10**8, Status.DEGRADED)],
)
def test_a_disk_is_full_by_share_and_by_bytes(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, total: int, free: int, status: Status
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(total, total - free, free))
    found = disk.probe()
    assert found.status == status
    assert values(found)["afn_disk_free_bytes"] == free


def test_backups_are_well_when_one_is_new_and_one_is_proved(watch: Watch, settings: Settings) -> None:
    assert backups.probe().status == Status.DEGRADED
    folder = Path(settings.AFN_BACKUPS_DIR)
    folder.mkdir()

    def store(hours: float) -> None:
        moment = timezone.now() - timedelta(hours=hours)
        backup = BackupName(moment, 0, backups._environment() or "prod")
        (folder / str(backup)).write_bytes(b"x")

    store(48)
    assert "48 h old" in backups.probe().detail
    store(1)
    assert backups.probe().detail == "none was ever proved"
    BackupDrill.objects.create(backup="a", sha256="0", ok=True)
    found = backups.probe()
    assert (found.status, found.detail) == (Status.OK, "the newest is 1.0 h old; last proved 0.0 h ago")
    assert 3_500 < values(found)["afn_backup_age_seconds"] < 3_700
    BackupDrill.objects.create(backup="a", sha256="0", ok=False)
    assert "broken" in backups.probe().detail


def test_an_embedder_that_fails_shows_while_prompts_wait_for_it(
    fake_embedder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.create(username="aoi")
    prompt = Prompt(name="a", title="t", content="c", user=user)
    prompt.save(index=False)
    assert embedder.probe().status == Status.OK  # it waits for its turn

    def fail(*arguments: Any, **options: Any) -> Any:
        raise EmbedderError("service", "an answer", "canary", "Look there.")

    with monkeypatch.context() as broken:
        broken.setattr(indexing.store, "prepare", fail)
        with pytest.raises(EmbedderError):
            indexing.index([prompt])
    found = embedder.probe()
    assert found.status == Status.DEGRADED
    assert found.detail.startswith("EmbedderError 0 s ago, 1 prompts wait")
    indexing.index([prompt])
    assert embedder.probe().status == Status.OK


def test_a_copy_is_behind_since_it_was_last_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "replica.db"
    assert judge_copy(file).status == Status.DEGRADED
    syncer = Syncer.__new__(Syncer)
    syncer.file = file
    for seconds, status in ((2, Status.OK), (40, Status.DEGRADED)):
        moment = time.time() - seconds
        syncer._write(SyncStatus(moment, moment, 1))
        found = judge_copy(file)
        assert (found.status, round(found.value or 0)) == (status, seconds)
    assert probe_replica().status == Status.DISABLED
