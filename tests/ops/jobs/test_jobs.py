"""Starting, doing, cancelling and sweeping, each step for itself."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops import jobs, tasks
from ops.audit.models import AuditEntry
from ops.jobs import heartbeat, registry, running, starting, sweeping
from ops.jobs.causes import cause_of
from ops.jobs.models import Job, JobState
from ops.jobs.run import Run
from ops.jobs.signals import job_changed
from prompts import queueing
from prompts.errors import NotThere, Refused, RegistryProblem
from prompts.models import User
from prompts.serving.circuit import Circuit
from vectors.progress import Meter

from . import kinds

pytestmark = pytest.mark.django_db


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "x")


@pytest.fixture
def told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that workers were told of."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    found: list[str] = []
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda arguments, **_: found.append(arguments[0]))
    return found


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Callable[..., Any]) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def later(**ago: float) -> datetime:
    return timezone.now() + timedelta(**ago)


def test_a_job_is_told_of_at_the_commit_and_done(told: list[str], committed: Any, aoi: User) -> None:
    with committed():
        job = jobs.start("note", {"word": "hello"}, actor=aoi)
        assert told == []
    assert told == [job.pk]
    assert (job.state, job.attempts, job.actor_name) == ("waiting", 0, "aoi")
    assert running.run(job.pk) == JobState.SUCCEEDED
    job = fresh(job)
    assert (job.state, job.attempts, job.done, job.total, job.holder) == ("succeeded", 1, 1, 1, "")
    assert job.started_at <= job.finished_at
    assert running.run(job.pk) is None  # a message that comes twice
    assert fresh(job).attempts == 1
    line = AuditEntry.objects.get(action="job.started")
    assert (line.object_id, line.actor_name, line.changes["word"]) == (job.pk, "aoi", "hello")


def test_what_is_rolled_back_is_not_started(told: list[str], committed: Any) -> None:
    with committed(), transaction.atomic():
        jobs.start("note")
        transaction.set_rollback(True)
    assert told == []
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("nothing", {}, "kind: expected one of .*note.*, got 'nothing'"),
        ("note", {"words": "x"}, r"words: expected an argument of note \(word, pages\), got another"),
        ("note", {"pages": "x"}, r"pages: expected what note takes \(input should be a valid integer\)"),
        ("wait", {"log": "x"}, "until: .*got nothing"),
        ("prune_audit_log", {"keep_days": 3}, "keep_days: .*greater than or equal to 30"),
    ],
)
def test_wrong_jobs_are_refused_by_name(kind: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RegistryProblem, match=message):
        jobs.start(kind, arguments)
    assert not Job.objects.exists()


def test_one_that_is_open_is_not_started_again() -> None:
    first = jobs.start("fail", {"why": "a"})
    assert jobs.start("fail", {"why": "a"}).pk == first.pk
    other = jobs.start("fail", {"why": "b"})
    assert other.pk != first.pk
    assert running.run(first.pk) == JobState.FAILED
    assert jobs.start("fail", {"why": "a"}).pk != first.pk
    assert len({jobs.start("note").pk for _ in range(3)}) == 3  # of this kind any number
    assert jobs.start("note", key="k").pk == jobs.start("note", {"word": "x"}, key="k").pk


def test_the_database_holds_keys_slots_and_states() -> None:
    Job.objects.create(kind="note", key="k", slot="s", state=JobState.RUNNING)
    for values in ({"key": "k"}, {"slot": "s", "state": JobState.SUCCEEDED}, {"state": "asleep"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.create(kind="note", **values)
    Job.objects.create(kind="note", key="k", state=JobState.FAILED)


def test_a_slot_is_started_once_whatever_became_of_it() -> None:
    tasks.start_job("note", {"word": "x"}, slot="Nightly 2026-01-01T02:00")
    tasks.start_job("note", {"word": "x"}, slot="Nightly 2026-01-01T02:00")
    job = Job.objects.get()
    assert running.run(job.pk) == JobState.SUCCEEDED
    tasks.start_job("note", {"word": "x"}, slot="Nightly 2026-01-01T02:00")
    assert Job.objects.count() == 1


def test_one_for_later_waits_until_then(told: list[str], committed: Any) -> None:
    with committed():
        job = jobs.start("note", not_before=later(hours=1))
    assert told == []
    assert running.run(job.pk) is None
    with committed():
        assert sweeping.sweep() == 0
    assert 3_500 < sweeping.seconds_until_due() <= 3_600
    Job.objects.update(not_before=later(seconds=-1))
    assert sweeping.seconds_until_due() == 0
    assert sweeping.sweep() == 1
    assert told == [job.pk]


def test_where_no_worker_could_be_told_the_sweep_does_it(
    settings: Settings, committed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(queueing, "circuit", Circuit(pause=0.0))
    found: list[str] = []

    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(tasks.run_job, "apply_async", refuse)
    with committed():
        job = jobs.start("note")
    assert fresh(job).queued_at is None
    assert sweeping.sweep() == 0
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda arguments, **_: found.append(arguments[0]))
    assert [sweeping.sweep(), sweeping.sweep()] == [1, 0]  # once, until that seems to be lost
    assert found == [job.pk]
    Job.objects.update(queued_at=timezone.now() - starting.QUEUED - timedelta(seconds=1))
    assert sweeping.sweep() == 1


def test_progress_is_written_once_a_second_and_renews_the_lease() -> None:
    moment = 0.0
    job = running.claim(jobs.start("note").pk)
    assert job is not None
    seen: list[tuple[str, int]] = []

    def hear(job: Job, **_: Any) -> None:
        seen.append((str(job.state), job.done))

    run = Run(job, timedelta(seconds=60), clock=lambda: moment)
    job_changed.connect(hear)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda call, **_: call())
        Job.objects.update(lease_until=timezone.now())
        for done in range(300):
            moment += 0.01
            run.progress(done, 300, "steps")
    job_changed.disconnect(hear)
    assert [done for _, done in seen] in ([99, 199, 299], [99, 199], [100, 200])
    stored = fresh(job)
    assert stored.total == 300
    assert stored.message == "steps"
    assert stored.lease_until > later(seconds=50)


def test_a_running_job_ends_at_its_next_sign_of_progress_when_cancelled(aoi: User) -> None:
    moment = 0.0
    job = running.claim(jobs.start("note").pk)
    assert job is not None
    run = Run(job, timedelta(seconds=60), clock=lambda: moment)
    assert not run.is_cancelled
    assert jobs.cancel(job, aoi).state == JobState.RUNNING
    jobs.cancel(job, aoi)  # once more says nothing new
    assert run.is_cancelled
    moment = 2.0
    with pytest.raises(jobs.JobCancelled):
        run.progress(1)
    assert AuditEntry.objects.filter(action="job.cancelled").count() == 1


def test_a_job_is_cancelled_while_it_works(monkeypatch: pytest.MonkeyPatch, aoi: User) -> None:
    job = jobs.start("fail", {"why": "x"})

    def cancelled(run: Run, why: str) -> None:
        jobs.cancel(run.job, aoi)
        monkeypatch.setattr(run, "_written_at", float("-inf"))
        try:
            run.progress(1)
        except Exception:  # noqa: BLE001 - as functions do that go on after errors
            pytest.fail("it was kept")

    monkeypatch.setitem(registry._kinds, "fail", _with(cancelled))
    assert running.run(job.pk) == JobState.CANCELLED
    assert fresh(job).finished_at is not None


def _with(function: Any, **changes: Any) -> registry.Kind:
    kind = registry.get("fail")
    names = {name: getattr(kind, name) for name in kind.__slots__}
    return registry.Kind(**names | {"function": function} | changes)


def test_an_old_holder_stops_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.start("fail", {"why": "x"})

    def slow(run: Run, why: str) -> None:
        Job.objects.update(lease_until=later(seconds=-1))
        assert sweeping.free_abandoned() == 1
        other = running.claim(job.pk)
        assert other is not None
        assert other.attempts == 2
        monkeypatch.setattr(run, "_written_at", float("-inf"))
        run.progress(5)

    monkeypatch.setitem(registry._kinds, "fail", _with(slow))
    assert running.run(job.pk) is None
    stored = fresh(job)
    assert (stored.state, stored.done, stored.attempts) == ("running", 0, 2)


def test_what_hangs_is_not_held_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    job = running.claim(jobs.start("note").pk)
    assert job is not None
    run = Run(job, timedelta(seconds=60), clock=lambda: moment)
    monkeypatch.setattr(registry, "HELD", timedelta(milliseconds=4))
    until = fresh(job).lease_until
    moment = 301.0
    heartbeat._beat(run, timedelta(minutes=5), threading.Event())  # returns, though nobody ends it
    assert fresh(job).lease_until == until


def test_what_dies_is_tried_again_and_given_up_at_last() -> None:
    job = jobs.start("fail", {"why": "x"})
    for attempt in (1, 2, 3):
        claimed = running.claim(job.pk)
        assert claimed is not None
        assert sweeping.free_abandoned() == 0
        assert sweeping.free_abandoned(later(minutes=1)) == 0
        assert sweeping.free_abandoned(later(minutes=3)) == 1
        stored = fresh(job)
        assert stored.state == ("failed" if attempt == 3 else "waiting")
        assert stored.cause == "the worker died or gave no sign for 120 s"
        Job.objects.update(not_before=timezone.now())
    assert stored.finished_at is not None


def test_one_that_died_while_being_cancelled_is_cancelled() -> None:
    job = running.claim(jobs.start("note").pk)
    assert job is not None
    jobs.cancel(job, None)
    assert sweeping.free_abandoned(later(minutes=3)) == 1
    assert fresh(job).state == JobState.CANCELLED


def test_errors_are_noted_and_those_of_bad_luck_tried_again_later_each_time() -> None:
    job = jobs.start("fail", {"why": "unlucky\nline two"})
    waits = []
    for _ in range(2):
        assert running.run(job.pk) == JobState.WAITING
        stored = fresh(job)
        waits.append(round((stored.not_before - timezone.now()).total_seconds(), -1))
        assert (stored.cause, stored.finished_at) == ("Unlucky: unlucky", None)
        Job.objects.update(not_before=timezone.now())
    assert waits == [10, 40]
    assert running.run(job.pk) == JobState.FAILED
    assert fresh(job).attempts == 3
    job = jobs.start("fail", {"why": "a fault"})
    assert running.run(job.pk) == JobState.FAILED
    stored = fresh(job)
    assert (stored.attempts, stored.cause) == (1, "ValueError: a fault")
    assert (stored.done, stored.total, stored.message) == (1, 2, "half")


def test_a_kind_that_is_gone_fails_with_its_name() -> None:
    job = Job.objects.create(kind="of_old", not_before=timezone.now())
    assert running.run(job.pk) == JobState.FAILED
    assert fresh(job).cause.startswith("NotThere: kind: expected one of")
    with pytest.raises(NotThere):
        jobs.retry(job, None)


def test_a_result_is_json_and_not_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    results: dict[str, Any] = {"long": {"x": "y" * 70_000}, "none": {"x": float("nan")}}
    monkeypatch.setitem(registry._kinds, "fail", _with(lambda run, why: results[why]))
    long, none = (jobs.start("fail", {"why": why}) for why in results)
    assert running.run(long.pk) == JobState.SUCCEEDED
    assert fresh(long).result == {"omitted": "a result of 70,009 characters"}
    assert running.run(none.pk) == JobState.FAILED


def test_failed_and_cancelled_ones_are_tried_again(told: list[str], committed: Any, aoi: User) -> None:
    job = jobs.start("fail", {"why": "a fault"})
    with pytest.raises(
        Refused, match="job: expected one that failed or was cancelled, got one that is waiting"
    ):
        jobs.retry(job, aoi)
    running.run(job.pk)
    with committed():
        again = jobs.retry(job, aoi)
    assert told == [job.pk]
    assert (again.state, again.attempts, again.max_attempts, again.done) == ("waiting", 1, 4, 0)
    assert again.cause == "ValueError: a fault"
    assert jobs.cancel(again, aoi).state == JobState.CANCELLED
    with pytest.raises(Refused, match="expected one that waits or runs, got one that is cancelled"):
        jobs.cancel(again, aoi)
    other = jobs.start("fail", {"why": "a fault"})
    with pytest.raises(Refused, match=f"job {other.pk}, which is waiting"):
        jobs.retry(again, aoi)
    running.run(other.pk)
    assert jobs.retry(again, aoi).cancel_requested_at is None
    assert set(AuditEntry.objects.filter(object_type="ops.job").values_list("action", flat=True)) == {
        "job.retried", "job.cancelled",
    }  # fmt: skip


def test_old_jobs_are_forgotten_but_for_the_last_that_succeeded_of_each_kind() -> None:
    old = timezone.now() - timedelta(days=40)

    def made(kind: str, state: str, at: datetime) -> str:
        return Job.objects.create(kind=kind, state=state, finished_at=at).pk

    kept = {made("note", "succeeded", old), made("fail", "succeeded", timezone.now())}
    kept.add(Job.objects.create(kind="note", created_at=old).pk)
    made("note", "succeeded", old - timedelta(days=1))
    made("note", "failed", old)
    made("fail", "succeeded", old)
    made("wait", "cancelled", old)
    assert sweeping.prune() == 4
    assert set(Job.objects.values_list("pk", flat=True)) == kept
    assert sweeping.prune() == 0


def test_without_workers_what_is_due_is_done_here() -> None:
    done = [jobs.start("note", {"word": word}).pk for word in "ab"]
    jobs.start("note", not_before=later(hours=1))
    assert sweeping.run_due() == 2
    assert Job.objects.filter(pk__in=done, state=JobState.SUCCEEDED).count() == 2


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError(""), "ValueError"),
        (OSError("redis://afn:hunter2secret@host/0 refused"), "OSError: redis://****@host/0 refused"),
        (ValueError("Authorization: Bearer abcdefgh12345678"), "ValueError: Authorization: **** ****"),
        (ValueError("url?authToken=abc.def&x=1"), "ValueError: url?authToken=****&x=1"),
        (ValueError("key sk-afn-abcdefghijkl is wrong"), "ValueError: key **** is wrong"),
        (ValueError(f"bad {'A1b2' * 12}"), "ValueError: bad ****"),
        (ValueError("x." * 400), f"ValueError: {'x.' * 400}"[:300]),
        (ValueError("a million tokens cost 3 dollars"), "ValueError: a million tokens cost 3 dollars"),
    ],
)
def test_a_cause_is_short_and_has_no_secrets(error: Exception, kept: str) -> None:
    assert cause_of(error) == kept


def test_the_secrets_of_the_settings_are_in_no_cause(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "not like a key"
    assert cause_of(ValueError(f"{settings.SECRET_KEY}/not like a key")) == "ValueError: ****/****"


class Seen(Meter):
    def __init__(self) -> None:
        super().__init__("x", quiet=True)
        self.shown: list[tuple[int, int]] = []

    def show(self, done: int, total: int) -> None:
        self.shown.append((done, total))


def test_a_command_does_a_job_itself_and_keeps_its_row() -> None:
    meter = Seen()
    job = jobs.run_here("note", meter=meter)
    assert (job.state, job.attempts, job.holder, meter.shown) == ("succeeded", 1, "", [(1, 1)])
    assert job.actor_name.endswith("(shell)")
    with pytest.raises(ValueError, match="a fault"):
        jobs.run_here("fail", {"why": "a fault"}, meter=meter)
    assert Job.objects.get(kind="fail").cause == "ValueError: a fault"


def test_a_command_takes_over_a_job_that_waits_but_none_that_runs() -> None:
    waiting = jobs.start("fail", {"why": "x"})
    with pytest.raises(ValueError, match="x"):
        jobs.run_here("fail", {"why": "x"}, meter=Seen())
    assert fresh(waiting).state == JobState.FAILED
    held = running.claim(jobs.start("fail", {"why": "y"}).pk)
    assert held is not None
    with pytest.raises(Refused, match=f"job {held.pk}, which is running"):
        jobs.run_here("fail", {"why": "y"}, meter=Seen())


def test_ctrl_c_cancels_the_job_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(run: Run, why: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(registry._kinds, "fail", _with(interrupted))
    with pytest.raises(KeyboardInterrupt):
        jobs.run_here("fail", {"why": "x"}, meter=Seen())
    job = Job.objects.get()
    assert (job.state, job.cause) == ("cancelled", "Ctrl-C")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="note: expected a new name"):
        registry.job("note", title="Another")(lambda run: None)
    assert registry.get("note").function is kinds.note
