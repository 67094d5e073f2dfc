"""Real processes: two that look at a time, and a website that looks by itself and tells."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.webhooks.receiver import Receiver, receiving
from tests.processes import MANAGE, clean_environment, manage, wait_for, website, worker
from tests.servers import redis_server

SETUP = """
from ops.alerts import saving
from ops.alerts.models import AlertChannel, AlertRule
from django_celery_beat.models import IntervalSchedule, PeriodicTask
AlertRule.objects.all().delete()
for number in range(5):
    values = {{"name": f"rule {{number}}", "metric": "memory_percent", "threshold": 0.1, "clear": 0.05}}
    saving.save_rule(AlertRule(**values), [])
saving.save_channel(AlertChannel(), {{"name": "team", "kind": "webhook", "url": {url!r}}})
# Nothing else is to happen, and this soon.
often = IntervalSchedule.objects.create(every=1, period="seconds")
PeriodicTask.objects.exclude(name="Watch for alerts").update(enabled=False)
PeriodicTask.objects.update(interval=often, crontab=None)
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def variables(tmp_path: Path, receiver: Receiver, migrated_file: Path) -> dict[str, str]:
    found = {
        "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
        "AFN_OUTGOING_ALLOWED": receiver.host,
        "AFN_RUN_DIR": str(tmp_path / "run"),
        "AFN_BACKUPS_DIR": str(tmp_path / "backups"),
    }
    shutil.copy(migrated_file, tmp_path / "afn.db")
    done = manage("shell", "-v", "0", "-c", SETUP.format(url=f"{receiver.url}/canary-path"), **found)
    assert done.returncode == 0, done.stderr
    return found


def test_two_who_look_at_a_time_raise_and_tell_once(variables: dict[str, str], receiver: Receiver) -> None:
    command = [*MANAGE, "alerts", "look", "--json"]
    environment = clean_environment(SECRET_KEY="k" * 50, **variables)
    lookers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    done = [json.loads(one.communicate(timeout=120)[0]) for one in lookers]
    assert [one.returncode for one in lookers] == [0, 0]
    assert sum(one["raised"] for one in done) == 5
    assert sum(one["sent"] for one in done) == 5
    assert len(receiver.calls) == 5
    assert len({json.loads(call.body)["alert"]["rule"] for call in receiver.calls}) == 5


def test_a_website_without_redis_looks_and_tells_by_itself(
    variables: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    with website(tmp_path / "site.log", **variables, AFN_SCHEDULE="1"):
        assert wait_for(lambda: len(receiver.calls) >= 5, 30)
        receiver.calls.clear()
        off = "from ops.alerts.models import AlertRule; AlertRule.objects.update(enabled=False)"
        assert manage("shell", "-v", "0", "-c", off, **variables).returncode == 0
        assert wait_for(lambda: len(receiver.calls) >= 5, 30)
    assert [json.loads(call.body)["kind"] for call in receiver.calls] == ["alert.cleared"] * 5
    log = (tmp_path / "site.log").read_text()
    assert "Traceback" not in log
    assert "canary" not in log


@pytest.mark.redis
def test_a_worker_looks_and_tells(variables: dict[str, str], receiver: Receiver, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        variables |= {"REDIS_URL": redis.url}
        with worker(tmp_path / "worker.log", variables):
            code = "from ops.tasks import watch_alerts; watch_alerts.delay()"
            done = manage("shell", "-v", "0", "-c", code, **variables)
            assert done.returncode == 0, done.stderr
            assert wait_for(lambda: len(receiver.calls) >= 5, 30)
    assert len(receiver.calls) == 5
    log = (tmp_path / "worker.log").read_text()
    assert "Traceback" not in log
    assert "canary" not in log
