"""Whoever may call, and one thing of each kind for them to call about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from afn_project.key_cache import key_cache
from afn_project.libsql import dbapi
from ops.environments import current
from ops.environments.local import Provider
from ops.jobs.models import Job
from ops.slow_queries.models import SlowQuery
from prompts.evaluating import runs
from prompts.labels import move_label
from prompts.models import (
    ApiKey,
    Dataset,
    DatasetItem,
    Evaluation,
    LabelPolicy,
    Prompt,
    TraceScore,
    User,
)
from prompts.roles import ADMINS, EDITORS, READERS
from prompts.saving import save_prompt
from prompts.serving.responses import admitted
from prompts.splits import start_split
from prompts.trash import delete_prompt, delete_version
from tests.api.conftest import basic, bearer
from vectors import store, strategies
from vectors.relevance.judging import judge

CSRF = "a" * 32
OWNER, OTHER = "editor", "colleague"


@dataclass(frozen=True)
class Caller:
    """Headers of a key for each API; or a client with a session, which only one of them knows."""

    bearer: dict[str, str] = field(default_factory=dict)
    basic: dict[str, str] = field(default_factory=dict)
    user: User | None = None
    has_csrf: bool = True

    def client(self) -> Client:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        if self.user:
            client.force_login(self.user)
            if self.has_csrf:
                client.cookies["csrftoken"] = CSRF
        return client

    def headers(self, path: str) -> dict[str, str]:
        if self.user:
            return {"X-CSRFToken": CSRF} if self.has_csrf else {}
        return self.basic if path.startswith("/api/public") else self.bearer


@dataclass
class World:
    callers: dict[str, Caller]
    own: dict[str, Any]  # values of path parameters, of what belongs to `OWNER`
    others: dict[str, Any]  # of what belongs to `OTHER`


def _user(name: str, group: str = "") -> User:
    user = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
    user.is_superuser = name == "superuser"
    user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def _key(user: User, *scopes: str, **changes: Any) -> Caller:
    key, secret = ApiKey.issue(user, "tests", list(scopes or ("read", "write")))
    ApiKey.objects.filter(pk=key.pk).update(**changes)
    return Caller(bearer(secret), basic(key.public_key, secret))


def _things(owner: User) -> dict[str, Any]:
    """What belongs to somebody, as values of path parameters."""
    name = f"of-{owner.username}"
    prompt = Prompt(user=owner, name=name, title=name, content="One {{name}}", status="active")
    save_prompt(prompt, author=owner)
    for content in ("Two {{name}}", "Three {{name}}", "Four {{name}}"):
        prompt.content = content
        save_prompt(prompt, author=owner)
    delete_version(prompt, 4, actor=owner)
    prompt.refresh_from_db()
    for label in ("production", "staging", "split"):
        move_label(prompt, label, 1, actor=None)
    arms = [{"version": 1, "weight": 1}, {"version": 2, "weight": 1}]
    start_split(prompt, "split", arms, actor=None)
    trashed = Prompt(user=owner, name=f"{name}-once", title=name, content="Gone")
    save_prompt(trashed, author=owner)
    delete_prompt(trashed, actor=owner)
    Evaluation.objects.create(prompt=prompt, score=0.5)
    score = TraceScore(user=owner, trace_id="t", name="quality", data_type="NUMERIC", value=0.5)
    score.timestamp = score.created_at = timezone.now()
    score.save()
    key, _ = ApiKey.issue(owner, "another", ["read"])
    return {
        "prompt": prompt.pk,
        "prompt_name": prompt.name,
        "trashed": trashed.pk,
        "score": score.pk,
        "key": key.pk,
        "user": owner.pk,
    }


def _shared(owner: User, prompt: Prompt) -> dict[str, Any]:
    """What belongs to nobody, or to all."""
    LabelPolicy.objects.create(name="guarded", is_protected=True)
    dataset = Dataset.objects.create(name="questions", user=owner)
    DatasetItem.objects.create(dataset=dataset, key="q1", variables={"name": "you"}, expected="4")
    version = prompt.versions.get(version=1)
    run = runs.create_run(prompt, version, dataset, [{"type": "exact_match"}], user=owner)
    store.create_collection("notes")
    collection = store.get_collection("notes")
    store.upsert(collection, [store.Item(key="faq/refunds", text="Refunds are paid within five days.")])
    judgement = judge(collection, query="refunds", key="faq/refunds", grade=3, source="api", by="editor")
    jobs = [Job.objects.create(kind="clean_up", state=state) for state in ("waiting", "failed")]
    slow = [
        SlowQuery.objects.create(created_at=timezone.now(), fingerprint=name, sql=name, seconds=2.0)
        for name in ("a", "b")
    ]
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    schedule = PeriodicTask.objects.create(name="Hourly", interval=hourly, task="ops.tasks.sweep_jobs")
    return {"slow_query": slow[0].pk, "job": jobs[0].pk, "failed_job": jobs[1].pk, "schedule": schedule.pk,
            "run": run.pk, "dataset": dataset.pk, "judgement": judgement.pk,
            "policy": LabelPolicy.objects.get().pk,
            "group": Group.objects.get(name=READERS).pk, "evaluation": Evaluation.objects.first().pk,
            "version": version.pk, "collection": collection.pk}  # fmt: skip


@contextmanager
def made() -> Iterator[World]:
    """The world, in a transaction that is rolled back."""
    with transaction.atomic():
        reader, editor = _user("reader", READERS), _user(OWNER, EDITORS)
        colleague = _user(OTHER, EDITORS)
        admin, superuser = _user("administrator", ADMINS), _user("superuser")
        ago = timezone.now() - timedelta(minutes=1)
        own, others = _things(editor), _things(colleague)
        shared = _shared(editor, Prompt.objects.get(pk=own["prompt"]))
        callers = {
            "anonymous": Caller(),
            "wrong key": Caller(bearer("sk-afn-wrong"), basic("pk-afn-wrong", "sk-afn-wrong")),
            "reader": _key(reader),
            "reader's session": Caller(user=reader),
            "editor": _key(editor),
            "editor's session": Caller(user=editor),
            "editor on another's": _key(editor),
            "admin": _key(admin),
            "admin's session": Caller(user=admin),
            "admin's session without CSRF token": Caller(user=admin, has_csrf=False),
            "superuser": _key(superuser),
            "superuser's session": Caller(user=superuser),
            "write-only key of an admin": _key(admin, "write"),
            "read-only key of an admin": _key(admin, "read"),
            "revoked key of an admin": _key(admin, revoked_at=ago),
            "expired key of an admin": _key(admin, expires_at=ago),
        }
        yield World(callers, own | shared, others | shared)
        transaction.set_rollback(True)


def provider(folder: Path) -> Provider:
    """Environments that nobody misses: the main one, and one to be deleted."""
    entry: dict[str, Any] = {
        "ENGINE": "afn_project.libsql", "OPTIONS": {}, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True,
        "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, "TEST": {},
    }  # fmt: skip
    made = Provider(
        main=folder / "afn.db",
        main_name="prod",
        folder=folder / "environments",
        entry=entry,
        current="prod",
        protected=["prod"],
    )
    connection = dbapi.connect(str(folder / "afn.db"))
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    made.fork("prod", "spare")
    return made


@contextmanager
def visited(folder: Path) -> Iterator[World]:
    """The world on an embedder of words, with its environments in `folder`; nothing of it is remembered."""
    embedder = {"AFN_EMBEDDERS": {"fake": "tests.vectors.fakes.FakeEmbedder"}, "AFN_EMBEDDER": "fake"}
    with pytest.MonkeyPatch.context() as patch, override_settings(**embedder), made() as world:
        # Within the transaction, for forking would close a database in memory.
        environments = provider(folder)
        patch.setattr(current, "get_provider", lambda: environments)
        yield world
    key_cache.clear()
    admitted.clear()
    strategies.forget()
