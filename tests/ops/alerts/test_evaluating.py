"""What is kept of looks at the figures: one alert, its history, and who is told."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.alerts import evaluating, metrics, saving, telling
from ops.alerts.defaults import RULES
from ops.alerts.errors import AlertProblem
from ops.alerts.models import Alert, AlertNotification, AlertRule, AlertSilence
from ops.alerts.signals import alert_changed
from ops.audit.models import AuditEntry
from ops.health.states import sample
from ops.jobs.models import Job
from ops.monitoring.measuring import by_name
from ops.slow_queries.models import SlowQuery
from prompts.models import User
from tests.processes import manage

from .conftest import START, Channel, Rule, at, see


def events() -> list[tuple[str, str]]:
    rows = AlertNotification.objects.order_by("created_at", "channel__name")
    return list(rows.values_list("event", "channel__name"))


def test_an_alert_has_its_start_its_worst_and_its_end(rule: Rule) -> None:
    rule()
    assert see(85) == evaluating.Evaluated(raised=1)
    see(97, 30)
    see(90, 60)
    assert see(60, 90) == evaluating.Evaluated(cleared=1)
    alert = Alert.objects.get()
    assert (alert.value, alert.worst, alert.last) == (85, 97, 60)
    assert (alert.started_at, alert.cleared_at) == (START, at(90))
    assert (alert.rule_name, alert.severity) == ("busy", "warning")


def test_what_a_rule_waits_for_is_kept_between_looks(rule: Rule) -> None:
    made = rule(for_seconds=60)
    see(90)
    made.refresh_from_db()
    assert (made.pending_since, made.value, made.measured_at) == (START, 90, START)
    see(90, 30)
    assert not Alert.objects.exists()
    assert see(90, 60).raised == 1
    see(50, 90)
    made.refresh_from_db()
    assert made.pending_since is None


def test_there_is_one_open_alert_a_rule(rule: Rule) -> None:
    made = rule()
    see(90)
    copy = Alert.objects.get()
    copy.pk = "b" * 32
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
    assert Alert.objects.filter(rule=made).count() == 1


def test_who_has_read_what_another_has_changed_since_raises_nothing(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule()
    stale = list(AlertRule.objects.all())
    see(90)
    see(60, 30)
    AlertRule.objects.update(pending_since=START)  # as if a third one had seen it by now
    assert evaluating._raise(stale[0], evaluating.judge(stale[0], False, 90, at(0)), 90, at(0)) == 0
    assert Alert.objects.count() == 1


def test_what_nobody_watches_any_more_is_over(rule: Rule) -> None:
    one, two = rule("one"), rule("two")
    see(90)
    saving.save_rule(_changed(one, enabled=False), ["enabled"])
    two.delete()
    assert see(90, 30).cleared == 2
    assert dict(Alert.objects.values_list("rule_name", "note")) == {
        "one": "Its rule was switched off.",
        "two": "Its rule was deleted.",
    }


def _changed(rule: AlertRule, **values: Any) -> AlertRule:
    found = AlertRule.objects.get(pk=rule.pk)
    for name, value in values.items():
        setattr(found, name, value)
    return found


def test_a_rule_that_measures_nothing_says_so(rule: Rule) -> None:
    made = rule()
    now = timezone.now()
    evaluating.evaluate(now, {"cpu_percent": 5.0})
    assert not evaluating.is_missing(AlertRule.objects.get(), now + timedelta(minutes=9))
    evaluating.evaluate(now + timedelta(minutes=11), {"cpu_percent": None})
    assert evaluating.is_missing(AlertRule.objects.get(), now + timedelta(minutes=11))
    assert not evaluating.is_missing(_changed(made, enabled=False), now + timedelta(minutes=11))


def test_channels_are_told_by_severity_and_of_the_end_if_they_want(rule: Rule, channel: Channel) -> None:
    channel("all", min_severity="info")
    channel("bad", min_severity="critical")
    channel("brief", sends_cleared=False)
    channel("off", enabled=False)
    rule()
    see(90)
    assert events() == [("raised", "all"), ("raised", "brief")]
    see(60, 30)
    assert events()[2:] == [("cleared", "all")]


def test_silence_keeps_from_sending_and_not_from_knowing(rule: Rule, channel: Channel) -> None:
    channel()
    one, _ = rule("one"), rule("two")
    _silence(one, 100)
    see(90)
    assert Alert.objects.filter(cleared_at=None).count() == 2
    assert [n.alert.rule_name for n in AlertNotification.objects.all()] == ["two"]
    see(90, 90)
    assert len(events()) == 1
    see(90, 120)  # the silence is over, and it still is so
    assert sorted(n.alert.rule_name for n in AlertNotification.objects.all()) == ["one", "two"]
    see(90, 150)
    assert len(events()) == 2


def test_what_begins_and_ends_within_a_maintenance_window_is_told_to_nobody(
    rule: Rule, channel: Channel
) -> None:
    channel()
    rule()
    _silence(None, 100)
    see(90)
    see(60, 30)
    see(60, 200)
    alert = Alert.objects.get()
    assert (alert.cleared_at, alert.told_at, events()) == (at(30), None, [])


def _silence(rule: AlertRule | None, seconds: float) -> None:
    AlertSilence.objects.create(rule=rule, starts_at=START, until=at(seconds), reason="work")


def test_reminders_until_somebody_acknowledges(rule: Rule, channel: Channel) -> None:
    channel(remind_hours=2)
    rule()
    see(90)
    for hours in (1, 2, 2.5, 4, 4.1):
        see(90, hours * 3_600)
    assert [event for event, _ in events()] == ["raised", "reminder", "reminder"]
    user = User.objects.create_user("aoi", "aoi@example.com", "x")
    assert saving.acknowledge(Alert.objects.get(), user)
    assert not saving.acknowledge(Alert.objects.get(), user)
    see(90, 8 * 3_600)
    assert len(events()) == 3
    alert = Alert.objects.get()
    assert alert.acknowledged_by == "aoi"
    assert AuditEntry.objects.filter(action="alert.acknowledged", object_id=alert.pk).count() == 1


def test_listeners_are_told_after_the_commit(rule: Rule, django_capture_on_commit_callbacks: Any) -> None:
    heard: list[tuple[str, str]] = []

    def listen(alert: Alert, change: str, **_: Any) -> None:
        heard.append((change, alert.rule_name))

    alert_changed.connect(listen)
    try:
        rule()
        with django_capture_on_commit_callbacks(execute=True):
            see(90)
            see(60, 30)
            assert heard == []
    finally:
        alert_changed.disconnect(listen)
    assert heard == [("raised", "busy"), ("cleared", "busy")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    values=st.lists(st.sampled_from((50.0, 75.0, 90.0, None)), min_size=1, max_size=12),
    step=st.sampled_from((30, 7_200)),
)
def test_never_two_open_and_nothing_told_twice(
    rule: Rule, channel: Channel, values: list[float | None], step: int
) -> None:
    with transaction.atomic():
        AlertRule.objects.all().delete()
        rule()
        channel(remind_hours=1)
        for number, value in enumerate(values):
            see(value, number * step)
            see(value, number * step)  # another process at the same moment
            assert Alert.objects.filter(cleared_at=None).count() <= 1
        told = list(AlertNotification.objects.values_list("alert", "event", "number"))
        assert len(told) == len(set(told))
        for alert in Alert.objects.all():
            kinds = [event for key, event, _ in told if key == alert.pk]
            assert kinds.count("raised") == 1
            assert kinds.count("cleared") == (0 if alert.is_open else 1)
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"clear": 80}, "clear"),
        ({"clear": 90}, "clear"),
        ({"comparison": "below", "clear": 70}, "clear"),
        ({"threshold": float("nan")}, "threshold"),
        ({"metric": "secret_key"}, "metric"),
        ({"for_seconds": 86_401}, "for_seconds"),
        ({"name": "two\nlines"}, "name"),
    ],
)
def test_a_rule_that_cannot_be(rule: Rule, values: dict[str, Any], field: str) -> None:
    with pytest.raises(AlertProblem) as problem:
        rule(**values)
    assert problem.value.field == field


def test_a_silence_ends_and_not_too_late(rule: Rule) -> None:
    now = timezone.now()
    for until in (now - timedelta(seconds=1), now + timedelta(days=31)):
        with pytest.raises(AlertProblem) as problem:
            saving.silence(None, until, "work", by="aoi")
        assert problem.value.field == "until"
    with pytest.raises(AlertProblem):
        saving.silence(None, now + timedelta(hours=1), " ", by="aoi")
    made = saving.silence(rule(), now + timedelta(hours=1), "work", by="aoi")
    assert telling.is_silenced(made.rule_id, timezone.now())
    assert not telling.is_silenced(None, timezone.now())


def test_old_alerts_are_forgotten(rule: Rule) -> None:
    rule()
    see(90)
    see(60, 30)
    assert evaluating.prune(at(364 * 86_400)) == 0
    assert evaluating.prune(at(366 * 86_400)) == 1


@pytest.mark.django_db
def test_the_rules_that_afn_comes_with() -> None:
    found = {one.name: one for one in AlertRule.objects.all()}
    assert set(found) == {one.name for one in RULES}
    limits = {one.metric: (one.comparison, one.threshold) for one in found.values()}
    assert limits["cpu_percent"] == ("above", 80)
    assert limits["memory_percent"] == ("above", 85)
    assert limits["cache_hit_rate"] == ("below", 0.7)
    assert limits["slowest_query_seconds"] == ("above", 1.0)
    assert limits["connections"] == ("above", 100)
    assert limits["backup_age_hours"] == ("above", 26)
    assert limits["proved_age_hours"] == ("above", 50)
    for one in found.values():
        saving.check_rule(one)
        assert one.enabled
        assert one.description


@pytest.mark.django_db
def test_every_figure_can_be_read_or_is_missing() -> None:
    now = timezone.now()
    found = metrics.read_all(metrics.METRICS, now)
    assert set(found) == set(metrics.METRICS)
    assert {name for name, value in found.items() if value is not None} >= {
        "cpu_percent", "memory_percent", "slowest_query_seconds", "failed_jobs", "disk_free_mb", "not_ready",
    }  # fmt: skip
    assert found["cache_hit_rate"] is None  # there is no Redis
    assert metrics.read_all(["no_such"], now) == {"no_such": None}


@pytest.mark.django_db
def test_figures_from_tables_and_samples() -> None:
    now = timezone.now()
    for seconds, age in ((1.5, 1), (9.0, 400)):
        SlowQuery.objects.create(
            created_at=now - timedelta(seconds=age), fingerprint="a", sql="a", seconds=seconds
        )
    for minutes in (5, 61):
        finished = now - timedelta(minutes=minutes)
        Job.objects.create(kind="clean_up", state="failed", finished_at=finished)
    measured = by_name(
        [
            sample("memory_usage_bytes", 100, type="total"),
            sample("memory_usage_bytes", 12, type="available"),
            sample("afn_backups", 0),
            sample("afn_disk_free_bytes", 5e9, folder="database"),
            sample("afn_disk_size_bytes", 10e9, folder="database"),
            sample("afn_disk_free_bytes", 6e9, folder="backups"),
            sample("afn_disk_size_bytes", 100e9, folder="backups"),
            sample("afn_replica_lag_seconds", float("inf")),
            sample("afn_backup_last_proved_timestamp_seconds", now.timestamp() - 7_200),
            sample("afn_health_ready", 0),
            sample("afn_health_status", 2, part="redis"),
            sample("afn_health_status", 1, part="jobs"),
        ]
    )
    names = ["slowest_query_seconds", "failed_jobs", "memory_percent", "disk_free_mb", "disk_free_percent",
             "replica_lag_seconds", "proved_age_hours", "not_ready", "parts_down", "health_jobs"]  # fmt: skip
    found = [metrics._read(name, measured, now) for name in names]
    assert found == [1.5, 1, pytest.approx(88), 5_000, pytest.approx(6), 1e12, pytest.approx(2), 1, 1, 1]
    age = metrics._read("backup_age_hours", measured, now)  # there never was one: since the tables were made
    assert age is not None
    assert 0 <= age < 24


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_has_the_rules_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert AlertRule.objects.count() == len(RULES)


def test_what_an_operator_changed_survives_a_migration(tmp_path: Path, migrated_file: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "afn.db")
    script = """
import json
from django.core.management import call_command
from ops.alerts.models import AlertRule
AlertRule.objects.filter(metric="cpu_percent").update(threshold=95, enabled=False)
AlertRule.objects.filter(metric="connections").delete()
call_command("migrate", verbosity=0)
print(json.dumps({one.metric: [one.threshold, one.enabled] for one in AlertRule.objects.all()}))
"""
    done = manage("shell", "-v", "0", "-c", script, AFN_DATABASE_FILE=str(tmp_path / "afn.db"))
    found = json.loads(done.stdout)
    assert len(found) == len(RULES) - 1
    assert "connections" not in found
    assert found["cpu_percent"] == [95, False]
