"""Schedules in the console: in words, when they are due, on and off, and what came of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from ops.jobs.models import Job, JobState
from ops.scheduling.moments import next_run
from ops.scheduling.words import crontab_in_words, interval_in_words

from .conftest import text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:django_celery_beat_periodictask_changelist")


def in_words(text: str, zone: str = "UTC") -> str:
    minute, hour, day, month, weekday = text.split()
    crontab = CrontabSchedule(
        minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday, timezone=zone
    )
    with timezone.override("UTC"):
        return crontab_in_words(crontab)


@pytest.mark.parametrize(
    ("crontab", "words"),
    [
        ("0 2 * * *", "every day at 02:00"),
        ("0,30 2,14 * * *", "every day at 02:00, 02:30, 14:00 and 14:30"),
        ("30 8 * * 1-5", "from Monday to Friday at 08:30"),
        ("0 9 * * 6,0", "at the weekend at 09:00"),
        ("0 9 * * 0-6", "every day at 09:00"),
        ("0 9 * * 1,3", "on Monday and Wednesday at 09:00"),
        ("15 3 1 * *", "on day 1 of the month at 03:15"),
        ("15 3 1,15 1,7 *", "on day 1 and 15 of the month in January and July at 03:15"),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("5 * * * *", "every hour at minute 05"),
        ("0 */6 * * *", "every 6 hours at minute 00"),
        ("*/15 * * * 1", "every 15 minutes, on Monday"),
        ("0-59/7 8-18 * * mon", "by the crontab 0-59/7 8-18 * * mon"),
        ("0 0 1 * 1", "by the crontab 0 0 1 * 1"),
    ],
)
def test_fixed_times_in_words(crontab: str, words: str) -> None:
    assert in_words(crontab) == words


def test_another_time_zone_is_named() -> None:
    assert in_words("0 2 * * *", "Asia/Tokyo") == "every day at 02:00 (Asia/Tokyo)"


def test_intervals_in_words() -> None:
    assert interval_in_words(IntervalSchedule(every=10, period="seconds")) == "every 10 seconds"
    assert interval_in_words(IntervalSchedule(every=1, period="hours")) == "every hour"


def test_the_days_are_in_the_readers_language() -> None:
    with translation.override("ja"):
        assert "月曜" in in_words("0 9 * * 1,3")


def test_when_a_schedule_is_due_next() -> None:
    daily = PeriodicTask.objects.select_related("crontab").get(name="Back up")
    daily.crontab.timezone = "UTC"
    daily.last_run_at = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
    now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert next_run(daily, now) == datetime(2026, 1, 2, 2, 0, tzinfo=UTC)
    missed = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    assert next_run(daily, missed) == missed
    daily.enabled = False
    assert next_run(daily, now) is None


def test_the_list_says_when_and_what_came_of_it(admin: Client, django_assert_max_num_queries: Any) -> None:
    schedule = PeriodicTask.objects.get(name="Back up")
    for state, hour in ((JobState.SUCCEEDED, 1), (JobState.FAILED, 2)):
        Job.objects.create(kind="back_up", state=state, slot=f"Back up 2026-01-01T0{hour}:00:00+00:00")
    with django_assert_max_num_queries(14):
        page = text_of(admin.get(LIST))
    assert "every day at 02:00" in page
    assert "every 10 seconds" in page
    assert page.count('<span class="afn-pill afn-pill-danger">failed</span>') == 1
    assert "data-local" in page
    assert f'formaction="/admin/django_celery_beat/periodictask/{schedule.pk}/turn/off/"' in page
    assert 'aria-label="Run Back up now"' in page
    assert "Run Look after jobs now" not in page


def test_a_switch_turns_it_and_run_now_starts_its_job(admin: Client) -> None:
    schedule = PeriodicTask.objects.get(name="Clean up")
    answer = text_of(admin.post(f"{LIST}{schedule.pk}/turn/off/", follow=True))
    assert "Clean up is off." in answer
    schedule.refresh_from_db()
    assert not schedule.enabled
    admin.post(f"{LIST}{schedule.pk}/turn/off/")  # the same once more
    admin.post(f"{LIST}{schedule.pk}/turn/on/")
    schedule.refresh_from_db()
    assert schedule.enabled
    assert admin.post(f"{LIST}{schedule.pk}/turn/round/").status_code == 404
    started = text_of(admin.post(f"{LIST}{schedule.pk}/start/", follow=True))
    job = Job.objects.get()
    assert (job.kind, job.actor_name) == ("clean_up", "aoi")
    assert f"/admin/ops/job/{job.pk}/change/" in started


def test_who_may_only_look_turns_nothing(staff: Callable[..., Client]) -> None:
    client = staff("view_periodictask")
    schedule = PeriodicTask.objects.get(name="Clean up")
    assert "afn-switch" not in text_of(client.get(LIST))
    for path in ("turn/off/", "start/"):
        assert client.post(f"{LIST}{schedule.pk}/{path}").status_code == 403
        assert client.get(f"{LIST}{schedule.pk}/{path}").status_code == 403
        assert Client().post(f"{LIST}{schedule.pk}/{path}").status_code == 302
    schedule.refresh_from_db()
    assert schedule.enabled
