"""Schedules: who follows them, when they are due, and how they are changed."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as project
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from pytest_django.fixtures import Settings

from ops import beat as beats
from ops import tasks
from ops.audit.models import AuditEntry
from ops.beat import OneBeat
from ops.jobs.models import Job
from ops.scheduling import defaults, offers
from ops.scheduling.lease import LEASE, Lease
from ops.scheduling.local import LocalBeat
from ops.scheduling.models import SchedulerLease
from prompts.models import User

from . import kinds  # noqa: F401 - registers them

pytestmark = pytest.mark.django_db
NOTE = json.dumps({"kind": "note", "arguments": {"word": "x"}})


class Clock:
    """Both of a lease's clocks."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def lease(self) -> Lease:
        start = timezone.now()
        return Lease(now=lambda: start + timedelta(seconds=self.seconds), clock=lambda: self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tasks that went to workers, with their options."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    found: list[tuple[str, Any]] = []

    def enqueue(task: Any, *_: Any, **options: Any) -> bool:
        found.append((task.name, options))
        return True

    monkeypatch.setattr(beats, "enqueue", enqueue)
    return found


def make_beat(clock: Clock, kind: type[OneBeat] = OneBeat) -> OneBeat:
    return kind(app=current_app._get_current_object(), lease=clock.lease())


def run_all(beat: OneBeat) -> None:
    while not beat.tick():
        pass


def only(name: str = "Nightly", **values: Any) -> PeriodicTask:
    """One schedule, which was due a minute ago, and no other."""
    PeriodicTask.objects.all().delete()
    at = timezone.now() - timedelta(minutes=1)
    if "crontab" not in values:
        values["interval"] = IntervalSchedule.objects.create(every=50, period="seconds")
    values = {"task": "ops.tasks.start_job", "kwargs": NOTE, "last_run_at": at} | values
    return PeriodicTask.objects.create(name=name, **values)


def test_the_schedules_that_afn_comes_with() -> None:
    found = {one.name: (offers.title_of(one), one.enabled) for one in PeriodicTask.objects.all()}
    assert {name for name, (_, is_on) in found.items() if is_on} >= {
        "Tell webhooks", "Catch up", "Look after jobs", "Clean up",
    }  # fmt: skip
    assert not found["Empty the trash"][1]  # nobody's prompts go without having been asked
    assert not found["Shorten the audit log"][1]
    for one in PeriodicTask.objects.all():
        assert one.task in current_app.tasks
        assert offers.choice_of(one)
    assert not hasattr(project, "CELERY_BEAT_SCHEDULE")  # it would be written over what operators change


def test_celery_makes_the_scheduler_that_the_settings_name() -> None:
    from celery.beat import Service

    service = Service(app=current_app._get_current_object(), scheduler_cls=current_app.conf.beat_scheduler)
    assert isinstance(service.scheduler, OneBeat)
    assert PeriodicTask.objects.filter(name="celery.backend_cleanup").count() == 0


def test_one_has_the_lease_until_it_is_over_or_given_back(clock: Clock) -> None:
    one, two = clock.lease(), clock.lease()
    assert one.take()
    assert not two.take()
    assert two.holder == SchedulerLease.objects.get().holder
    for _ in range(10):  # signs of life
        clock.seconds += 6
        assert one.take()
        assert not two.take()
    clock.seconds += LEASE.total_seconds() + 1  # it has died
    assert two.take()
    assert not one.take()
    two.release()
    assert one.take()


def test_a_holder_asks_the_database_every_five_seconds(clock: Clock, django_assert_num_queries: Any) -> None:
    lease = clock.lease()
    assert lease.take()
    with django_assert_num_queries(0):
        assert lease.take()
    clock.seconds += 5
    with django_assert_num_queries(1):
        assert lease.take()


def test_a_job_that_is_due_is_started_once_for_its_moment(clock: Clock) -> None:
    schedule = only()
    due = schedule.last_run_at + timedelta(seconds=50)
    run_all(make_beat(clock))
    job = Job.objects.get()
    assert (job.kind, job.arguments, job.slot) == ("note", {"word": "x"}, f"Nightly {due.isoformat()}")
    schedule.refresh_from_db()
    assert schedule.total_run_count == 1
    assert schedule.last_run_at > due
    # As if the first had died before it could write that down.
    PeriodicTask.objects.update(last_run_at=due - timedelta(seconds=50))
    clock.seconds += 30
    run_all(make_beat(clock))
    assert Job.objects.count() == 1


def test_a_second_one_waits_and_goes_on_with_what_the_first_wrote(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    only()
    first, second = make_beat(clock), make_beat(clock)
    run_all(first)
    with caplog.at_level("INFO", logger="ops.beat"):
        for _ in range(3):
            assert second.tick() == 5
    assert [one.message for one in caplog.records if "waiting" in one.message] == [
        f"Another process follows the schedules ({SchedulerLease.objects.get().holder}): waiting"
    ]
    first.close()
    run_all(second)
    assert Job.objects.count() == 1
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=1))
    second._forget()
    run_all(second)
    assert Job.objects.count() == 2


def test_a_moment_of_a_day_is_that_of_its_zone(clock: Clock) -> None:
    times = CrontabSchedule.objects.create(minute="0", hour="2", timezone="Asia/Tokyo")
    last = datetime(2026, 1, 9, 17, 0, 3, tzinfo=UTC)
    only(crontab=times, last_run_at=last)
    run_all(make_beat(clock))
    # 02:00 in Tokyo is 17:00 in UTC; the days that were missed are not made up for.
    assert Job.objects.get().slot == "Nightly 2026-01-11T02:00:00+09:00"


def test_a_task_goes_to_workers_and_expires(clock: Clock, sent: list[tuple[str, Any]]) -> None:
    only(task="ops.tasks.sweep_jobs", kwargs="{}", expire_seconds=10)
    run_all(make_beat(clock))
    [(name, options)] = sent
    assert name == "ops.tasks.sweep_jobs"
    assert options["expires"] == 10


def test_alerts_are_watched_where_no_worker_can_be_told_for_that_is_one_of_them(
    clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, swept = threading.Event(), threading.Event()
    settings.CELERY_TASK_ALWAYS_EAGER = False
    monkeypatch.setattr(beats, "enqueue", lambda *_, **__: False)
    monkeypatch.setattr(tasks.watch_alerts, "run", watched.set)
    monkeypatch.setattr(tasks.sweep_jobs, "run", swept.set)
    beat = make_beat(clock)
    for task in ("ops.tasks.sweep_jobs", "ops.tasks.watch_alerts"):
        only(task=task, kwargs="{}")
        beat._forget()
        run_all(beat)
    assert watched.wait(10)
    assert not swept.is_set()


def test_what_is_switched_off_or_unknown_is_left_alone(
    clock: Clock, sent: list[tuple[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    beat = make_beat(clock)
    only(enabled=False)
    run_all(beat)
    for values in ({"task": "os.system", "kwargs": "{}"}, {"kwargs": json.dumps({"kind": "nothing"})}):
        only(**values)
        beat._forget()
        run_all(beat)
    assert "there is no task os.system" in caplog.text
    assert "Schedule Nightly: what was due could not be started" in caplog.text
    assert sent == []
    assert not Job.objects.exists()


def test_a_change_of_an_operator_counts_at_once_and_is_kept(clock: Clock) -> None:
    schedule = only(last_run_at=timezone.now())
    beat = make_beat(clock)
    run_all(beat)
    assert not Job.objects.exists()
    schedule.interval = IntervalSchedule.objects.create(every=1, period="seconds")
    schedule.last_run_at = timezone.now() - timedelta(seconds=5)
    schedule.description = "Mine"
    schedule.save()
    clock.seconds += 6
    run_all(beat)
    assert Job.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.description == "Mine"
    run_all(make_beat(clock))
    assert PeriodicTask.objects.count() == 1  # what was deleted does not come back


def test_a_database_out_of_reach_ends_nothing_and_is_said_once(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    only()
    beat = make_beat(clock)

    def fail() -> bool:
        raise OperationalError("no such table: scheduler_leases")

    with monkeypatch.context() as patch:
        patch.setattr(beat._lease, "take", fail)
        assert [beat.tick(), beat.tick()] == [5.0, 5.0]
    assert caplog.text.count("The schedules cannot be read: OperationalError") == 1
    run_all(beat)
    assert Job.objects.count() == 1


def test_without_redis_what_is_due_runs_beside_the_schedule(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    calls: list[str] = []

    def slow() -> None:
        calls.append("x")
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(tasks.sweep_jobs, "run", slow)
    only(task="ops.tasks.sweep_jobs", kwargs="{}")
    beat = make_beat(clock, LocalBeat)
    run_all(beat)
    assert begun.wait(10)
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=2))
    beat._forget()
    run_all(beat)  # the first is still at it
    go_on.set()
    assert calls == ["x"]


@pytest.fixture
def console(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("aoi", "aoi@example.com", "x"))
    return client


def form(**values: Any) -> dict[str, Any]:
    interval = IntervalSchedule.objects.get_or_create(every=7, period="days")[0]
    return {
        "name": "Weekly", "what": "job empty_trash", "arguments": '{"days": 7}', "interval": interval.pk,
        "crontab": "", "enabled": "on", "description": "",
    } | values  # fmt: skip


def errors(console: Client, **values: Any) -> str:
    answer = console.post(reverse("admin:django_celery_beat_periodictask_add"), form(**values))
    assert answer.status_code == 200
    return " ".join(str(answer.context["adminform"].form.errors).split())


def test_a_schedule_is_made_in_the_console(console: Client) -> None:
    answer = console.post(reverse("admin:django_celery_beat_periodictask_add"), form())
    assert answer.status_code == 302
    made = PeriodicTask.objects.get(name="Weekly")
    assert made.task == "ops.tasks.start_job"
    assert json.loads(made.kwargs) == {"kind": "empty_trash", "arguments": {"days": 7}}
    assert AuditEntry.objects.filter(action="periodictask.created", object_name__startswith="Weekly").exists()
    page = console.get(reverse("admin:django_celery_beat_periodictask_change", args=[made.pk]))
    assert page.context["adminform"].form["what"].value() == "job empty_trash"
    changed = form(what="task ops.tasks.sweep_jobs", arguments="{}")
    where = reverse("admin:django_celery_beat_periodictask_change", args=[made.pk])
    assert console.post(where, changed).status_code == 302
    made.refresh_from_db()
    assert (made.task, made.kwargs, made.expire_seconds) == ("ops.tasks.sweep_jobs", "{}", 7 * 86_400)


def test_wrong_schedules_are_refused_in_clear_words(console: Client) -> None:
    assert "Expected either fixed times or an interval, got neither." in errors(console, interval="")
    both = CrontabSchedule.objects.first().pk
    assert "got both" in errors(console, crontab=both)
    assert "days: expected what empty_trash takes" in errors(console, arguments='{"days": -1}')
    assert "an argument of empty_trash (days)" in errors(console, arguments='{"x": 1}')
    assert "Expected an object" in errors(console, arguments="[1]")
    assert "Enter a valid JSON" in errors(console, arguments="{")
    assert "Expected none for this" in errors(console, what="task ops.tasks.sweep_jobs")
    assert "Select a valid choice" in errors(console, what="task celery.chain")
    assert "already exists" in errors(console, name="Clean up")
    assert not PeriodicTask.objects.filter(name="Weekly").exists()


def test_schedules_are_turned_off_and_started_by_hand(console: Client) -> None:
    where = reverse("admin:django_celery_beat_periodictask_changelist")
    clean_up = PeriodicTask.objects.get(name="Clean up")

    def act(name: str) -> Any:
        return console.post(where, {"action": name, "_selected_action": [clean_up.pk]}, follow=True)

    act("turn_off")
    clean_up.refresh_from_db()
    assert not clean_up.enabled
    act("turn_on")
    assert PeriodicTask.objects.get(pk=clean_up.pk).enabled
    assert "1 on the way; see the jobs." in act("start_now").content.decode()
    assert Job.objects.get().actor_name == "aoi"


def test_who_may_only_look_sees_a_page_without_a_form(
    console: Client, make_staff: Callable[..., Client]
) -> None:
    client = make_staff("view_periodictask")
    pk = PeriodicTask.objects.get(name="Empty the trash").pk
    page = client.get(reverse("admin:django_celery_beat_periodictask_change", args=[pk]))
    assert page.status_code == 200
    assert "Empty the trash (days: 30)" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_has_the_schedules_that_a_new_one_has() -> None:
    call_command("flush", interactive=False, verbosity=0)
    found = {one.name: one.enabled for one in PeriodicTask.objects.all()}
    assert found == {name: default.enabled for name, default in defaults.DEFAULTS.items()}
    assert PeriodicTask.objects.get(name="Clean up").crontab.hour == "3"
    PeriodicTask.objects.filter(name="Clean up").delete()
    PeriodicTask.objects.update(enabled=False)
    call_command("migrate", verbosity=0)  # as at each start
    assert not PeriodicTask.objects.filter(name="Clean up").exists()
    assert not PeriodicTask.objects.filter(enabled=True).exists()
