"""The kinds that AFN has: each does what its command does, however often."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from ops import jobs
from ops.jobs import running
from ops.jobs.models import Job, JobState
from prompts import indexing, trash
from prompts.models import Prompt, User
from prompts.saving import save_prompt
from vectors import store
from vectors.migrating import changing
from vectors.models import Index

COMMITTED = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prompt(db: None) -> Prompt:
    user = User.objects.create_superuser("aoi", "aoi@example.com", "x")
    made = Prompt(user=user, name="support/greeting", title="T", content="Hello {{name}}.")
    save_prompt(made, author=user)
    return made


def done(kind: str, **arguments: Any) -> Any:
    """The result of a job that was started and done."""
    job = jobs.start(kind, arguments)
    running.run(job.pk)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.SUCCEEDED, job.cause
    return job.result


@COMMITTED
def test_prompts_are_embedded(prompt: Prompt) -> None:
    indexing.remove([prompt.pk])
    assert indexing.count_outdated() == 1
    done("embed_prompts")
    assert indexing.count_outdated() == 0
    assert done("embed_prompts")["unchanged"] == 1
    assert done("embed_prompts", rebuild=True)["inserted"] == 1


@COMMITTED
def test_a_collection_is_embedded_anew_and_a_second_attempt_finds_nothing_to_do(prompt: Prompt) -> None:
    notes = store.create_collection("notes")
    store.upsert(notes, [store.Item(key=str(n), text=f"text number {n}") for n in range(30)])
    asked = {"collection": "notes", "embedder": "fake", "dimensions": 24}
    assert done("migrate_embeddings", **asked)["written"] == 30
    migration = changing.get(changing.named("notes"))
    assert changing.count_lacking(migration) == 0
    assert done("migrate_embeddings", **asked) == {"written": 0, "deleted": 0, "missing": 0, "refused": {}}
    assert done("migrate_embeddings", collection="notes")["missing"] == 0


@COMMITTED
def test_a_cancelled_embedding_keeps_what_it_has_and_leaves_the_space_free(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = store.create_collection("notes")
    store.upsert(notes, [store.Item(key=str(n), text=f"text number {n}") for n in range(30)])
    job = jobs.start(
        "migrate_embeddings", {"collection": "notes", "embedder": "fake", "dimensions": 24, "batch": 5}
    )
    write = jobs.Run.progress

    def cancelling(run: jobs.Run, done: int, *rest: Any) -> None:
        if done == 10:
            jobs.cancel(run.job, None)
            run._written_at = float("-inf")
        write(run, done, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(jobs.Run, "progress", cancelling)
        assert running.run(job.pk) == JobState.CANCELLED
    migration = changing.get(changing.named("notes"))
    assert migration.filler == ""
    assert changing.count_lacking(migration) == 20
    assert jobs.retry(Job.objects.get(pk=job.pk), None).state == JobState.WAITING
    assert running.run(job.pk) == JobState.SUCCEEDED
    assert changing.count_lacking(migration) == 0


@COMMITTED
def test_an_index_is_built_and_waits_where_another_builds() -> None:
    notes = store.create_collection("notes")
    store.upsert(notes, [store.Item(key=str(n), text=f"text number {n}") for n in range(30)])
    assert done("rebuild_index", collection="notes")["rows"] == 30
    assert done("rebuild_index", collection="notes", only_if_due=True) == {
        "skipped": "The index is up to date."
    }
    Index.objects.update(building=7, building_at=timezone.now())
    job = jobs.start("rebuild_index", {"collection": "notes"})
    assert running.run(job.pk) == JobState.WAITING
    assert Job.objects.get(pk=job.pk).cause.startswith(
        "IndexBusy: collection: expected one whose index nobody"
    )
    missing = jobs.start("rebuild_index", {"collection": "nowhere"})
    assert running.run(missing.pk) == JobState.FAILED
    assert done("rebuild_index", collection="elsewhere", only_if_due=True) == {
        "skipped": "The collection is gone."
    }


def test_the_trash_is_emptied_of_what_is_old(prompt: Prompt) -> None:
    trash.delete_prompt(prompt, actor=prompt.user)
    assert done("empty_trash", days=1) == {"prompts": 0}
    Prompt.everything.update(deleted_at=timezone.now() - timedelta(days=40))
    assert done("empty_trash") == {"prompts": 1}
    assert not Prompt.everything.exists()


def test_leftovers_are_cleaned_up(db: None) -> None:
    for name, days in (("old", -1), ("new", 1)):
        Session.objects.create(
            session_key=name, session_data="", expire_date=timezone.now() + timedelta(days=days)
        )
    assert done("clean_up") == {"sessions": 1, "answers": 0, "slow_queries": 0}
    assert Session.objects.get().session_key == "new"
    assert done("prune_audit_log", keep_days=30) == {"lines": 0}
