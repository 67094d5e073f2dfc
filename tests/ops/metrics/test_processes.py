"""Two web processes and a worker: their counters add up, and what a dead one had open is gone."""

import re
import time
import urllib.request
from pathlib import Path
from shutil import copy

import psutil
import pytest

from ops.monitoring.processes import emptied
from tests.processes import manage, wait_for, website, worker
from tests.servers import redis_server

TOKEN = "canary-metrics-token"
LIVE = (
    'django_http_requests_total_by_view_transport_method_total{method="GET",transport="http",'
    'view="ops.views.live"}'
)
FIGURE = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


def scrape(site: str) -> dict[str, float]:
    request = urllib.request.Request(f"{site}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read().decode()
    return {name + labels: float(value) for name, labels, value in FIGURE.findall(text)}


def webs(site: str) -> list[psutil.Process]:
    """The processes that answer: those without children of their own."""
    port = site.rpartition(":")[2]
    [parent] = [one for one in psutil.Process().children() if port in one.cmdline()]
    alive = [one for one in parent.children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "resource_tracker" not in " ".join(one.cmdline())]


@pytest.mark.redis
def test_counters_of_all_processes_add_up(tmp_path: Path, migrated_file: Path) -> None:
    copy(migrated_file, tmp_path / "afn.db")
    shared = emptied(tmp_path / "metrics")
    with redis_server(tmp_path) as redis:
        variables = shared | {
            "AFN_DATABASE_FILE": str(tmp_path / "afn.db"), "REDIS_URL": redis.url, "AFN_METRICS_TOKEN": TOKEN,
            "AFN_RUN_DIR": str(tmp_path / "run"), "AFN_BACKUPS_DIR": str(tmp_path / "backups"),
            "GRANIAN_WORKERS": "2", "GRANIAN_RESPAWN_FAILED_WORKERS": "true",
        }  # fmt: skip
        with website(tmp_path / "web.log", **variables) as site, worker(tmp_path / "worker.log", variables):
            assert wait_for(lambda: len(webs(site)) == 2)
            before = scrape(site)
            number = 60
            for _ in range(number):
                urllib.request.urlopen(f"{site}/health/live", timeout=10).close()
            seen = {int(name) for name in re.findall(r"counter_(\d+)", " ".join(names(tmp_path)))}
            assert {one.pid for one in webs(site)} <= seen  # both have answered
            for _ in range(4):  # whoever is asked tells the same
                assert scrape(site)[LIVE] - before[LIVE] == number
            code = "from ops import jobs; jobs.start('clean_up')"
            done = manage(
                "shell",
                "--no-imports",
                "-c",
                code,
                **{name: value for name, value in variables.items() if name != "PROMETHEUS_MULTIPROC_DIR"},
            )
            assert done.returncode == 0, done.stderr
            ended = 'afn_jobs_total{kind="clean_up",outcome="succeeded"}'
            deleted = 'query_duration_seconds_count{operation="delete"}'
            assert wait_for(lambda: scrape(site).get(ended) == 1)
            assert scrape(site)[deleted] > before[deleted]  # the worker's
            started = time.monotonic()
            scrape(site)
            assert time.monotonic() - started < 1
            _, victim = webs(site)
            victim.kill()
            assert wait_for(lambda: len(webs(site)) == 2 and victim not in webs(site))

            def is_forgotten() -> bool:
                scrape(site)
                return f"gauge_livesum_{victim.pid}.db" not in names(tmp_path)

            assert wait_for(is_forgotten)
            assert scrape(site)[LIVE] - before[LIVE] >= number
    assert set(emptied(tmp_path / "metrics")) == {"PROMETHEUS_MULTIPROC_DIR"}
    assert names(tmp_path) == []


def test_an_empty_variable_is_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "from ops.monitoring.exposition import render; assert b'query_duration_seconds_count' in render()"
    variables = {"AFN_DATABASE_FILE": str(migrated_file), "AFN_RUN_DIR": str(tmp_path / "run")}
    done = manage("shell", "--no-imports", "-c", code, PROMETHEUS_MULTIPROC_DIR="", **variables)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.db")) == []  # in the current folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "metrics").iterdir())
