"""What is found at Redis, workers, the scheduler, jobs, webhooks, collections and their embedders."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.fixtures import Settings
from redis import Redis

from ops.alerts.models import AlertChannel
from ops.doctor.examining import Case
from ops.jobs.models import Job, JobState
from ops.outbox.models import OutboxEvent
from ops.scheduling.models import SchedulerLease
from ops.slow_queries.models import SlowQuery
from ops.webhooks.models import Delivery, Webhook
from ops.webhooks.sealing import seal
from prompts.models import Prompt
from tests.ops.backups.conftest import at
from tests.servers import Server, redis_server
from vectors.index import blocks
from vectors.migrating.models import EmbeddingMigration
from vectors.models import Collection, Index
from vectors.sql import Tables

from .conftest import Look, levels

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis"), "--maxmemory", "50mb") as server:
        yield server


@contextmanager
def using(file: Path) -> Iterator[str]:
    with at(file) as alias:
        yield alias


@pytest.mark.redis
def test_a_policy_that_loses_tasks_says_how_to_change_it(
    redis: Server, settings: Settings, look: Look
) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = redis.url
    with Redis.from_url(redis.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        found = look("redis", "redis")
        policy = found["cache and queue: eviction policy"]
        assert (policy.status, policy.found) == (
            "warning",
            "allkeys-lru can delete tasks that wait in the queue",
        )
        assert "noeviction" in policy.remedy
        assert found["cache: format"].status == "problem"  # of the tests' own cache
        assert client.dbsize() == 0


def test_a_redis_that_is_down_is_a_problem(settings: Settings, look: Look) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = NOBODY
    found = look("redis", "redis")["cache and queue: connection"]
    assert found.status == "problem"
    assert "redis-server" in found.remedy
    assert levels(look("workers", "workers")) == {"workers": "warning"}


def test_a_queue_that_takes_pickles_is_a_problem(settings: Settings, look: Look) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = NOBODY
    settings.CELERY_ACCEPT_CONTENT = ["json", "pickle"]
    assert look("redis", "redis")["queue: format"].found == "json, pickle"


@pytest.mark.redis
def test_workers_without_a_sign_are_a_problem(redis: Server, settings: Settings, look: Look) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = redis.url
    assert "celery -A afn_project worker" in look("workers", "workers")["workers"].remedy
    assert "none answers" in look("workers", "workers", deep=True)["ping"].found
    with Redis.from_url(redis.url) as client:
        client.set("afn:health:worker", repr(time.time()))
        assert levels(look("workers", "workers", deep=False)) == {}
        client.set("afn:health:worker", repr(time.time() - 60))
        assert look("workers", "workers")["workers"].status == "problem"
        client.delete("afn:health:worker")


def test_a_scheduler_that_is_dead_or_there_twice_is_a_problem(
    file: Path, settings: Settings, look: Look, case: Case
) -> None:
    assert levels(look("workers", "scheduler")) == {"scheduler": "warning"}
    settings.REDIS_URL = NOBODY
    assert levels(look("workers", "scheduler")) == {"scheduler": "problem"}
    with using(file) as alias:
        leases = SchedulerLease.objects.using(alias)
        leases.create(name="schedules", holder="one 17 0123", until=case.now + timedelta(seconds=20))
        assert look("workers", "scheduler")["scheduler"].found == "one 17 follows the schedules"
        found = look("workers", "scheduler", now=case.now + timedelta(hours=3))["scheduler"]
        assert (found.status, found.found) == ("problem", "nobody has followed the schedules for 3.0 h")
        assert "celery -A afn_project beat" in found.remedy
        leases.create(name="others", holder="two 18 4567", until=case.now + timedelta(days=1))
        assert (
            "2 processes"
            in look("workers", "scheduler", now=case.now - timedelta(hours=3))["scheduler"].found
        )


def test_jobs_that_wait_fail_or_are_left_are_told_with_their_causes(
    file: Path, look: Look, case: Case
) -> None:
    assert levels(look("jobs", "jobs")) == {}
    ago = case.now - timedelta(minutes=30)
    with using(file) as alias:
        jobs = Job.objects.using(alias)
        jobs.create(kind="back_up", not_before=ago)
        jobs.create(kind="back_up", state=JobState.RUNNING, lease_until=ago)
        failed = jobs.create(kind="back_up", state=JobState.FAILED, finished_at=ago, cause="NoSpace: full")
        jobs.create(kind="back_up", state=JobState.FAILED, finished_at=ago - timedelta(days=2), cause="old")
    found = look("jobs", "jobs")
    assert levels(found) == {"waiting": "problem", "left behind": "warning", "failed": "warning"}
    assert "1 within a day (NoSpace: full)" in found["failed"].found
    assert f"jobs retry {failed.pk}" in found["failed"].remedy


def test_events_and_webhooks_that_stand_still_are_found(
    file: Path, look: Look, case: Case, settings: Settings
) -> None:
    ago = case.now - timedelta(hours=1)
    with using(file) as alias:
        event = OutboxEvent.objects.using(alias).create(kind="prompt.created", happened_at=ago)
        hooks = {
            name: Webhook.objects.using(alias).create(
                name=name, sealed_url=seal("https://example.org"), sealed_secret=seal("whsec_x"), **fields
            )
            for name, fields in {
                "well": {},
                "late": {},
                "paused": {"paused_at": ago, "paused_reason": "404"},
                "sick": {"failing_since": ago},
            }.items()
        }
        Delivery.objects.using(alias).create(webhook=hooks["late"], event=event, next_attempt_at=ago)
        AlertChannel.objects.using(alias).create(
            name="the team", kind="slack", sealed_url=seal("https://example.org")
        )
    found = look("jobs", "events")
    assert levels(found) == {
        "outbox": "problem",
        "webhook late": "problem",
        "webhook paused": "warning",
        "webhook sick": "warning",
    }
    assert "deliver_events" in found["outbox"].remedy
    settings.SECRET_KEY = "another-" + "0" * 50
    found = look("jobs", "events")
    assert "SECRET_KEY" in found["webhook well"].cause
    assert "alerts test 'the team'" in found["channel the team"].remedy


def test_slow_queries_of_a_day_are_counted(file: Path, look: Look, case: Case) -> None:
    with using(file) as alias:
        for seconds, ago in ((30.0, 1), (2.0, 2), (90.0, 30)):
            SlowQuery.objects.using(alias).create(
                created_at=case.now - timedelta(hours=ago), fingerprint="f", sql="SELECT ?", seconds=seconds
            )
    found = look("queries", "slow queries")["slow queries"]
    assert found.status == "warning"
    assert found.found.startswith("2 within a day; worst f, 2 times, 30.0 s at most: SELECT ?")


def test_an_index_that_is_missing_behind_or_broken_says_which_command_mends_it(
    file: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(look("vectors", "collections")) == {}
    monkeypatch.setattr(blocks, "MIN_ROWS", 2)
    unbuilt = look("vectors", "collections")["prompts"]
    assert (unbuilt.status, unbuilt.found) == ("warning", "4 rows without an index")
    assert "rebuild_vectors prompts" in unbuilt.remedy
    with using(file) as alias:
        collection = Collection.objects.using(alias).get(name="prompts")
        Index.objects.using(alias).update_or_create(pk=collection.pk, defaults={"is_diskann": True})
        assert levels(look("vectors", "collections")) == {}
        Index.objects.using(alias).update_or_create(pk=collection.pk, defaults={"version": 5, "rows": 4})
        broken = look("vectors", "collections")["prompts"]
        assert (broken.status, broken.found) == ("problem", "the codes of the index's version 5 are gone")
        assert "verify_vectors prompts --repair" in broken.remedy
        Collection.objects.using(alias).update(schema_version=99)
    assert "version 99" in look("vectors", "collections")["prompts"].found


def test_a_deep_examination_finds_what_a_row_lacks(file: Path, look: Look) -> None:
    assert look("vectors", "verify") == {}
    assert levels(look("vectors", "verify", deep=True)) == {}
    with using(file) as alias, connections[alias].cursor() as cursor:
        tables = Tables.of(Collection.objects.using(alias).get(name="prompts"))
        cursor.execute(f"DELETE FROM {tables.vectors} WHERE id = 1")
    found = look("vectors", "verify", deep=True)["prompts"]
    assert found.status == "problem"
    assert found.remedy == "`manage.py verify_vectors prompts --repair`"


def test_a_change_of_the_model_that_nobody_goes_on_with_is_found(file: Path, look: Look) -> None:
    with using(file) as alias:
        live = Collection.objects.using(alias).get(name="prompts")
        spare = Collection.objects.using(alias).create(name="spare", embedder="other", dimensions=8)
        EmbeddingMigration.objects.using(alias).create(live=live, spare=spare)
    found = look("vectors", "migrations")["prompts"]
    assert found.status == "warning"
    assert "migrate_embeddings prompts --embedder other" in found.remedy


def test_an_embedder_that_no_longer_fits_or_is_asked_of_is_found(
    file: Path, look: Look, settings: Settings
) -> None:
    assert "--deep" in look("vectors", "embedders")["embedder of prompts"].found
    assert levels(look("vectors", "embedders", deep=True)) == {}
    with using(file) as alias:
        Collection.objects.using(alias).update(embedder="nobodys")
    found = look("vectors", "embedders")
    assert levels(found) == {"embedder of prompts": "problem", "AFN_EMBEDDER": "warning"}
    assert "migrate_embeddings" in found["embedder of prompts"].remedy


def test_prompts_that_wait_too_long_for_their_embedding_are_counted(
    file: Path, look: Look, case: Case
) -> None:
    with using(file) as alias:
        one = Prompt.objects.using(alias).order_by("pk").first()
        assert one is not None
        Prompt.objects.using(alias).filter(pk=one.pk).update(version=9)
    assert levels(look("vectors", "embedders")) == {}
    found = look("vectors", "embedders", now=case.now + timedelta(hours=1))["prompts not embedded"]
    assert (found.status, found.found) == ("warning", "1, for more than 5 minutes")
    assert "embed_prompts" in found.remedy
