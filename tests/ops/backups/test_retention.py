"""Which backups are kept, and what pruning removes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from ops.backups import folder
from ops.backups.making import Backup
from ops.backups.models import BackupDrill
from ops.backups.names import BackupName
from ops.backups.pruning import prune
from ops.backups.retention import PERIODS, kept, read_rule
from ops.environments.local import Provider

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
RULE = {"hourly": 24, "daily": 7, "weekly": 5, "monthly": 12}
MOMENTS = st.lists(st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)), min_size=1, max_size=60)


def at(moment: datetime) -> BackupName:
    return BackupName(moment.replace(microsecond=0, tzinfo=UTC), 0, "prod")


def test_every_hour_for_a_year_leaves_a_few_of_each_kind() -> None:
    every = [at(NOON - timedelta(hours=hours)) for hours in range(365 * 24)]
    found = sorted(kept(every, RULE), reverse=True)
    assert found[:24] == every[:24]
    assert len(found) <= sum(RULE.values())
    days = {name.moment.date() for name in found}
    assert {NOON.date() - timedelta(days=days) for days in range(7)} <= days
    assert len({name.moment.month for name in found}) == 12


@given(moments=MOMENTS, hourly=st.integers(0, 5), daily=st.integers(0, 5))
def test_the_newest_is_kept_and_what_is_kept_stays_kept(
    moments: list[datetime], hourly: int, daily: int
) -> None:
    names = {at(moment) for moment in moments}
    rule = {"hourly": hourly, "daily": daily}
    found = kept(names, rule)
    assert max(names) in found
    assert found <= names
    assert kept(found, rule) == found
    assert len(found) <= 1 + hourly + daily


@given(moments=MOMENTS, period=st.sampled_from(sorted(PERIODS)))
def test_one_stands_for_each_period_the_newest_of_it(moments: list[datetime], period: str) -> None:
    names = {at(moment) for moment in moments}
    found = kept(names, {period: 1000})
    by_period: dict[object, BackupName] = {}
    for name in sorted(names):
        by_period[PERIODS[period](name.moment)] = name
    assert found == set(by_period.values())


@pytest.mark.parametrize(
    "text", ["", "daily", "daily=x", "daily=-1", "yearly=1", "daily=1 daily=2", "daily=1; rm"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="daily=7"):
        read_rule(text)


def test_a_rule_is_read() -> None:
    assert read_rule("hourly=24, daily=7 weekly=5 monthly=12") == RULE


@pytest.mark.parametrize(
    "text",
    [
        "prod.afnbackup",
        "prod-20260101T020000Z",
        "../prod-20260101T020000Z.afnbackup",
        "prod-20261301T020000Z.afnbackup",
        "prod-20260101T020000Z.afnbackup.partial",
        "Prod-20260101T020000Z.afnbackup",
    ],
)
def test_other_files_are_no_backups(text: str) -> None:
    assert BackupName.read(text) is None


def test_a_name_is_read_as_it_is_written() -> None:
    for name in (BackupName(NOON, 0, "prod"), BackupName(NOON, 3, "feature-20260101t020000z")):
        assert BackupName.read(str(name)) == name


def old(made: Backup, days: int) -> Path:
    """The same backup, as if it had been made so long ago."""
    name = BackupName.checked(made.path.name)
    older = BackupName(name.moment - timedelta(days=days), 0, name.environment)
    path = made.path.with_name(str(older))
    path.write_bytes(made.path.read_bytes())
    return path


@pytest.fixture
def many(make: Callable[[], Backup], settings: Settings) -> list[Path]:
    settings.AFN_BACKUPS_KEEP = "daily=2"
    made = make()
    return [made.path, *(old(made, days) for days in (1, 2, 3))]


def test_pruning_keeps_what_the_rule_keeps(place: Provider, many: list[Path]) -> None:
    found = prune()
    assert [path for path in many if path.exists()] == many[:2]
    assert set(found.removed) == {str(path) for path in many[2:]}


def test_the_last_one_that_was_proved_stays(place: Provider, many: list[Path]) -> None:
    for path, ok in ((many[3], True), (many[2], True), (many[0], False)):
        name = BackupName.checked(path.name)
        BackupDrill.objects.create(backup=path.name, backup_created_at=name.moment, sha256="0" * 64, ok=ok)
    prune()
    assert [path for path in many if path.exists()] == many[:3]


def test_a_dry_run_removes_nothing(place: Provider, many: list[Path]) -> None:
    found = prune(dry_run=True)
    assert len(found.removed) == 2
    assert all(path.exists() for path in many)


def test_each_environment_has_its_own(place: Provider, many: list[Path]) -> None:
    other = many[3].with_name(many[3].name.replace("live-", "other-", 1))
    other.write_bytes(b"x")
    prune()
    assert other.exists()


def test_other_files_are_left_alone(place: Provider, many: list[Path]) -> None:
    others = [folder.folder() / name for name in ("notes.txt", "prod-20240101000000.db", "x.afnbackup")]
    for path in others:
        path.write_text("mine")
    link = folder.folder() / "live-20200101T000000Z.afnbackup"
    link.symlink_to(others[0])
    prune()
    assert all(path.exists() for path in [*others, link])
