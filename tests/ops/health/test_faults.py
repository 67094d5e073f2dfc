"""Faults of real servers: what is asked says so within 15 seconds, and that it is over within 15 more."""

import json
import resource
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import Any

import psutil
import pytest

from tests.ops.webhooks.receiver import receiving
from tests.processes import manage, wait_for, website, worker
from tests.servers import redis_server
from tests.sqld import company_sqld

TRUTH = 15.0  # seconds


def ready(site: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{site}/health/ready", timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def seconds_until(ask: Callable[[], bool]) -> float:
    started = time.monotonic()
    assert wait_for(ask, TRUTH), "it is not told in time"
    took = time.monotonic() - started
    print(f"told after {took:.1f} s")
    return took


def is_red(site: str, part: str) -> Callable[[], bool]:
    def look() -> bool:
        status, body = ready(site)
        return status == 503 and body["parts"][part] == "down"

    return look


def is_green(site: str, part: str) -> Callable[[], bool]:
    def look() -> bool:
        status, body = ready(site)
        return status == 200 and body["parts"][part] == "ok"

    return look


def places(folder: Path) -> dict[str, str]:
    return {"AFN_RUN_DIR": str(folder / "run"), "AFN_BACKUPS_DIR": str(folder / "backups")}


@pytest.mark.redis
def test_redis_killed_and_worker_killed(tmp_path: Path, migrated_file: Path) -> None:
    copy(migrated_file, tmp_path / "afn.db")
    with redis_server(tmp_path) as redis:
        variables = {
            "AFN_DATABASE_FILE": str(tmp_path / "afn.db"),
            "REDIS_URL": redis.url,
            "AFN_READY_NEEDS": "database search redis workers",
            **places(tmp_path),
        }
        with website(tmp_path / "web.log", **variables) as site, worker(tmp_path / "worker.log", variables):
            assert seconds_until(is_green(site, "workers")) < TRUTH
            redis.kill()
            assert seconds_until(is_red(site, "redis")) < TRUTH
            redis.start()
            assert seconds_until(is_green(site, "redis")) < TRUTH
            [celery] = [
                one
                for one in psutil.Process().children()
                if "celery" in " ".join(one.cmdline()) and "worker" in one.cmdline()
            ]
            celery.send_signal(signal.SIGSTOP)  # as dead as killed, and can be brought back
            try:
                assert seconds_until(is_red(site, "workers")) < TRUTH
            finally:
                celery.send_signal(signal.SIGCONT)
            assert seconds_until(is_green(site, "workers")) < TRUTH


ALERTS = """
from ops.alerts import saving
from ops.alerts.models import AlertChannel, AlertRule
AlertRule.objects.exclude(metric="not_ready").delete()
AlertRule.objects.update(for_seconds=0)
saving.save_channel(AlertChannel(), {{"name": "team", "kind": "webhook", "url": {url!r}}})
"""


def test_the_database_server_stopped(tmp_path: Path) -> None:
    with company_sqld(tmp_path / "sqld") as server, receiving() as receiver:
        server.create("prod")
        variables = {
            "TURSO_DATABASE_URL": f"http://127.0.0.1:{server.port}?namespace=prod",
            "TURSO_AUTH_TOKEN": server.token(), "AFN_OUTGOING_ALLOWED": receiver.host, **places(tmp_path),
        }  # fmt: skip
        done = manage("migrate", "--verbosity", "0", **variables)
        assert done.returncode == 0, done.stderr
        done = manage("shell", "-v", "0", "-c", ALERTS.format(url=f"{receiver.url}/canary"), **variables)
        assert done.returncode == 0, done.stderr
        # Two of a machine tell once.
        with website(tmp_path / "web.log", GRANIAN_WORKERS="2", **variables) as site:
            assert seconds_until(is_green(site, "database")) < TRUTH
            server.freeze("prod", "we move house")
            wait_for(lambda: ready(site)[1]["parts"]["database"] == "degraded", TRUTH)
            assert ready(site)[0] == 200
            server.freeze("prod", None)
            assert seconds_until(is_green(site, "database")) < TRUTH
            server.process.send_signal(signal.SIGSTOP)  # it hangs, and then it is gone
            assert seconds_until(is_red(site, "database")) < TRUTH
            started = time.monotonic()
            assert ready(site)[0] == 503
            assert time.monotonic() - started < 5
            assert wait_for(lambda: receiver.calls, TRUTH)  # though channels and rules are in the database
            server.kill()
            server.start()
            assert seconds_until(is_green(site, "database")) < TRUTH
            assert wait_for(lambda: ready(site) and len(receiver.calls) >= 2)  # sent as a request ends
            told = [json.loads(call.body) for call in receiver.calls]
            assert [one["kind"] for one in told] == ["alert.raised", "alert.cleared"]
            assert told[0]["alert"]["rule"] == "Requests cannot be answered"
            assert "without it" in told[0]["alert"]["note"]
            assert "canary" not in (tmp_path / "web.log").read_text()


def test_a_disk_that_is_full(tmp_path: Path, migrated_file: Path) -> None:
    """Files of the site's processes may not grow: a write fails as on a full disk, and reads go on."""
    copy(migrated_file, tmp_path / "afn.db")
    variables = {"AFN_DATABASE_FILE": str(tmp_path / "afn.db"), **places(tmp_path)}
    with website(tmp_path / "web.log", **variables) as site:
        assert seconds_until(is_green(site, "database")) < TRUTH
        ours = psutil.Process().children(recursive=True)
        family = [one for one in ours if "granian" in " ".join(one.cmdline())]
        assert family
        before = {one.pid: resource.prlimit(one.pid, resource.RLIMIT_FSIZE) for one in family}
        for one in family:
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (100, before[one.pid][1]))
        try:
            assert seconds_until(is_red(site, "database")) < TRUTH
        finally:
            for one in family:
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, before[one.pid])
        assert seconds_until(is_green(site, "database")) < TRUTH
