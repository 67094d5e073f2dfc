"""Looking at parts in time: what hangs, what is fresh enough, what others are told, what is kept."""

import json
import time
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from ops.figures import keeping
from ops.figures.models import FigureMinute
from ops.health import history, parts, sharing
from ops.health.models import HealthRecord
from ops.health.probing import Part, Prober
from ops.health.states import Finding, Health, State, Status, sample
from ops.health.watching import FRESH, OLD, Watch

from .conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


class Probe:
    """Finds what it is told to."""

    def __init__(self) -> None:
        self.status, self.calls = Status.OK, 0

    def __call__(self) -> Finding:
        self.calls += 1
        return Finding(self.status, "as told", 1.5, [sample("afn_queue_age_seconds", 2)])


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    made = Probe()
    only = [Part("database", made), Part("backups", lambda: Finding(Status.OK))]
    monkeypatch.setattr(parts, "all_parts", lambda: only)
    return made


def test_what_is_fresh_is_not_looked_at_again(watch: Watch, clock: Clock, probe: Probe) -> None:
    assert watch.current().status == Status.OK
    clock.now += FRESH - 0.5
    watch.current()
    assert probe.calls == 1
    probe.status = Status.DOWN
    clock.now += 1
    assert watch.current().status == Status.DOWN
    assert probe.calls == 2


def test_since_is_when_the_status_changed(watch: Watch, clock: Clock, probe: Probe) -> None:
    began = clock.now
    watch.current()
    clock.now += 60
    assert watch.current().states["database"].since == began
    probe.status = Status.DEGRADED
    clock.now += 60
    state = watch.current().states["database"]
    assert (state.since, state.at) == (began + 120, began + 120)


def test_a_clock_that_is_put_back_does_not_keep_old_news(watch: Watch, clock: Clock, probe: Probe) -> None:
    watch.current()
    clock.now -= 3_600
    watch.current()
    assert probe.calls == 2


def test_what_changes_slowly_is_looked_at_now_and_then_while_it_is_well(
    watch: Watch, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Probe()
    monkeypatch.setattr(parts, "all_parts", lambda: [Part("database", Probe()), Part("disk", slow, every=30)])
    for _ in range(4):
        watch.current()
        clock.now += 8
    assert slow.calls == 1
    clock.now += 8
    slow.status = Status.DEGRADED
    watch.current()
    clock.now += 8
    watch.current()
    assert slow.calls == 3


def test_a_part_that_hangs_is_down_and_not_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    release, calls = Event(), list[int]()

    def hang() -> Finding:
        calls.append(1)
        release.wait(30)
        return Finding(Status.OK)

    prober, quick = Prober(), Part("redis", lambda: Finding(Status.OK), timeout=0.2)
    for _ in range(2):
        started = time.monotonic()
        found = prober.run([Part("database", hang, timeout=0.2), quick])
        assert time.monotonic() - started < 2
        assert found["database"].finding == Finding(Status.DOWN, "no answer within 0.2 s")
        assert found["redis"].finding.status == Status.OK
    assert calls == [1]
    release.set()


def test_at_the_end_of_a_process_probes_are_waited_for_and_say_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    prober = Prober()

    def fail_late() -> Finding:
        prober._ending.wait(30)
        raise OSError

    prober.run([Part("embedder", fail_late, timeout=0.01)])
    caplog.clear()
    prober.end()
    assert not prober._hanging["embedder"].is_alive()
    assert caplog.text == ""


def test_a_part_that_fails_is_down_and_says_no_secret() -> None:
    def fail() -> Finding:
        raise OperationalError("token=canary at db.example.org")

    found = Prober().run([Part("database", fail)])["database"].finding
    assert found == Finding(Status.DOWN, "failed: OperationalError")


@pytest.mark.parametrize(
    ("states", "needs", "status"),
    [
        ({"database": "ok", "backups": "ok", "redis": "disabled"}, "database redis", Status.OK),
        ({"database": "ok", "backups": "down"}, "database redis", Status.DEGRADED),
        ({"database": "degraded", "backups": "ok"}, "database", Status.DEGRADED),
        ({"database": "down", "backups": "ok"}, "database", Status.DOWN),
        ({"database": "ok", "redis": "down"}, "database redis", Status.DOWN),
        ({"database": "ok", "redis": "down"}, "database", Status.DEGRADED),
    ],
)
def test_only_what_requests_need_makes_it_red(
    settings: Settings, states: dict[str, str], needs: str, status: Status
) -> None:
    settings.AFN_READY_NEEDS = needs.split()
    found = {part: State(part, Status(name), 0, 0, 0) for part, name in states.items()}
    health = Health(0, found)
    assert (health.status, health.is_ready) == (status, status != Status.DOWN)


def test_processes_tell_each_other(watch: Watch, settings: Settings) -> None:
    state = State("redis", Status.DEGRADED, 0.1, 5.0, 9.0, "slow", 0.2, [sample("afn_recall", 1, mode="a")])
    sharing.write(Health(9.0, {"redis": state}))
    assert sharing.read() == Health(9.0, {"redis": state})
    settings.AFN_BACKUPS_DIR = "/elsewhere"  # another AFN on this machine
    assert sharing.read() is None


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"at": 1, "states": [{"part": "a"}]}', b"\xff"])
def test_what_another_version_has_written_is_nothing(watch: Watch, text: bytes) -> None:
    sharing.write(Health(9.0, {}))
    sharing._file(".json").write_bytes(text)
    assert sharing.read() is None


def test_one_process_looks_at_a_time(watch: Watch) -> None:
    with sharing.claimed() as first, sharing.claimed() as second:
        assert (first, second) == (True, False)
    with sharing.claimed() as again:
        assert again


def test_a_folder_that_cannot_be_written_keeps_nobody_from_looking(
    watch: Watch, settings: Settings, tmp_path: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.AFN_RUN_DIR = tmp_path / "file" / "run"
    sharing.write(Health(1.0, {}))
    with sharing.claimed() as is_ours:
        assert is_ours
    assert sharing.read() is None


def records(part: str = "database") -> list[tuple[str, float]]:
    return [(one.status, one.at.timestamp()) for one in HealthRecord.objects.filter(part=part)][::-1]


def test_history_has_each_change_and_one_in_five_minutes(
    watch: Watch, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = Probe()
    both = [Part("database", Probe()), Part("disk", changing)]
    monkeypatch.setattr(parts, "all_parts", lambda: both)
    began = clock.now
    wanted = [(Status.OK, began + second) for second in (0, 300, 600)]
    for second in range(10, 660, 10):
        watch.current()
        clock.now = began + second
    assert records("disk") == wanted
    changing.status = Status.DEGRADED
    watch.current()
    assert records("disk") == [*wanted, (Status.DEGRADED, began + 650)]


def test_what_happened_while_the_database_was_down_is_written_afterwards(
    watch: Watch, clock: Clock, probe: Probe
) -> None:
    began = clock.now
    for number, status in enumerate((Status.OK, Status.DOWN, Status.OK)):
        clock.now, probe.status = began + 10 * number, status
        watch.current()
        assert len(records()) == (1, 1, 3)[number]
    assert records() == [(Status.OK, began), (Status.DOWN, began + 10), (Status.OK, began + 20)]


def test_two_processes_write_it_once(watch: Watch, clock: Clock, probe: Probe) -> None:
    watch.current()
    history.forget()  # as another process, which knows nothing of the first
    Watch(clock).current()
    assert len(records()) == 1


def test_a_process_keeps_what_it_has_counted_though_another_one_looks(watch: Watch, clock: Clock) -> None:
    keeping.forget()
    for second, status, kept in (
        (0, "ok", 1),
        (30, "ok", 1),
        (60, "ok", 2),
        (120, "down", 2),
        (121, "ok", 3),
    ):
        clock.now = 1_000_020.0 + second
        database = State("database", Status(status), 0, 0, clock.now - 2)
        watch._tell(Health(clock.now - 2, {"database": database}))
        assert FigureMinute.objects.count() == kept
    keeping.forget()


def test_history_is_forgotten_after_thirty_days(db: None) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    for days in (29, 31):
        HealthRecord.objects.create(part="disk", status="ok", at=now - timedelta(days=days))
    assert history.prune(now) == 1
    assert [(now - one.at).days for one in HealthRecord.objects.all()] == [29]


def test_the_file_holds_no_more_than_is_told(watch: Watch, monkeypatch: Any) -> None:
    sharing.write(Health(1.0, {"disk": State("disk", Status.OK, 0, 0, 0, "fine")}))
    packed = json.loads(sharing._file(".json").read_text())
    assert set(packed["states"][0]) == {
        "part",
        "status",
        "seconds",
        "since",
        "at",
        "detail",
        "value",
        "samples",
    }
    assert OLD > FRESH
