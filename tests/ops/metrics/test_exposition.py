"""What Prometheus is told, by whom it may be read, and that rules and dashboard ask for nothing else."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from afn_project import metrics
from afn_project.env import BASE_DIR
from afn_project.libsql.sync import Syncer, SyncStatus
from ops.backups import uploads
from ops.backups.models import BackupDrill
from ops.backups.names import BackupName
from ops.health import parts, signs, thresholds
from ops.health.parts import backups
from ops.health.parts import redis as redis_part
from ops.health.probing import Part
from ops.health.states import sample
from ops.health.watching import Watch
from ops.jobs.models import Job, JobState
from ops.jobs.signals import job_changed
from ops.monitoring import certificates
from ops.monitoring.measuring import measure, value
from ops.monitoring.names import MEASURED
from prompts.indexing import get_collection
from prompts.models import ApiKey, Prompt, User
from tests.servers import Server, redis_server
from vectors.relevance.models import EvaluationRun

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "canary-metrics-token"
FOLDER = BASE_DIR / "docs" / "monitoring"
# What the document that AFN was asked for in names, and what every dashboard has on top.
NAMES = {
    "db_connections", "realtime_connections", "cache_hit_rate", "query_duration_seconds",
    "vector_search_latency_seconds",
    "memory_usage_bytes", "cpu_usage_percent", "afn_recall", "afn_queue_age_seconds", "afn_jobs_waiting",
    "afn_backup_age_seconds", "afn_backup_last_proved_timestamp_seconds", "afn_health_status",
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    with redis_server(tmp_path) as made:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = made.url
        yield made


@pytest.fixture
def everything(
    watch: Watch, fake_embedder: None, server: Server, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, client: Client,
) -> None:  # fmt: skip
    """An AFN of which everything can be measured."""
    settings.AFN_METRICS_TOKEN = TOKEN
    user = User.objects.create(username="aoi", is_superuser=True)
    _, secret = ApiKey.issue(user, "reader", ["read"])
    Prompt(name="a", title="t", content="c", user=user).save()
    for path in ("prompts/a", "search?q=t"):
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get(f"/api/v1/{path}", headers=headers).status_code == 200
    EvaluationRun.objects.create(
        collection=get_collection(), mode="hybrid", source="judgements", n=1,
        metrics={"recall@10": {"mean": 0.9, "low": 0, "high": 1}},
    )  # fmt: skip
    days = [sample(certificates.NAME, 30, name="REDIS_URL")]
    monkeypatch.setattr(certificates.certificates, "known", lambda: days)
    job_changed.send(Job, job=Job.objects.create(kind="clean_up", state=JobState.SUCCEEDED))
    signs.note(signs.EMBEDDER_FAILED, "EmbedderError")
    Path(settings.AFN_BACKUPS_DIR).mkdir()
    name = BackupName(timezone.now() - timedelta(hours=1), 0, backups._environment() or "prod")
    (Path(settings.AFN_BACKUPS_DIR) / str(name)).write_bytes(b"x")
    BackupDrill.objects.create(backup=str(name), sha256="0", ok=True)
    settings.AFN_BACKUPS_S3_BUCKET = "afn-backups"
    uploads.remember(name)
    with redis_part.client(server.url) as redis:
        redis.set("afn:a", 1)
        redis.get("afn:a")
    copied = Syncer.__new__(Syncer)
    copied.file = tmp_path / "replica.db"
    copied._write(SyncStatus(time.time(), time.time(), 1))
    monkeypatch.setitem(
        parts._added, "replica", Part("replica", lambda: metrics.judge_copy(tmp_path / "replica.db"))
    )


def scrape(client: Client) -> dict[str, list[Any]]:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    found: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        assert family.name not in found, f"{family.name} comes twice"
        found[family.name] = family.samples
    return found


@pytest.mark.redis
def test_everything_that_is_asked_for_is_told(client: Client, everything: None) -> None:
    found = scrape(client)
    assert found.keys() >= NAMES
    samples = {one.name: one for family in found.values() for one in family}
    assert set(MEASURED) <= samples.keys()
    [job] = found["afn_jobs"]
    assert (job.name, job.value) == ("afn_jobs_total", 1)
    assert job.labels == {"kind": "clean_up", "outcome": "succeeded"}
    assert {one.labels["operation"] for one in found["query_duration_seconds"]} == {
        "select", "insert", "update", "delete", "other",
    }  # fmt: skip
    assert {one.labels["type"] for one in found["memory_usage_bytes"]} >= {"used", "available", "total"}
    served = {
        one.labels["source"]: one.value for one in found["afn_prompts_served"] if "source" in one.labels
    }
    assert served["miss"] >= 1
    assert samples["afn_health_ready"].value in (0, 1)


@pytest.mark.redis
def test_rules_and_dashboard_ask_for_nothing_that_is_not_told(client: Client, everything: None) -> None:
    told = {one.name for family in scrape(client).values() for one in family} | {"up"}
    asked = set[str]()
    for expression in expressions():
        plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", "", expression)
        plain = re.sub(r"\b(by|ignoring|on|without)\s*\([^)]*\)", "", plain)
        words = set(re.findall(r"\b[a-z]\w*\b(?!\s*\()", plain)) - {"and", "or", "by", "ignoring"}
        asked |= words
    assert asked - told == set()
    assert set(MEASURED) - asked == set()  # and nothing is told that no panel shows


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [*panels, *(rule["expr"] for rule in rules())]


def test_rules_are_rules() -> None:
    """By Prometheus's own program where that is installed."""
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
    if promtool := shutil.which("promtool"):
        for words in (["rules", "rules.yml"], ["config", "--syntax-only", "prometheus.yml"]):
            done = subprocess.run([promtool, "check", *words], cwd=FOLDER, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("alert", "threshold"),
    [
        ("AfnCpuHigh", thresholds.CPU), ("AfnMemoryHigh", thresholds.MEMORY),
        ("AfnCacheHitRateLow", thresholds.HIT_RATE), ("AfnQueriesSlow", thresholds.SLOW_QUERY),
        ("AfnConnectionsMany", thresholds.CONNECTIONS), ("AfnBackupOld", thresholds.BACKUP_AGE),
        ("AfnBackupNotUploaded", thresholds.BACKUP_AGE), ("AfnBackupNotProved", thresholds.PROVED_AGE),
        ("AfnQueueOld", thresholds.QUEUE_AGE), ("AfnCertificateEnds", thresholds.CERTIFICATE_DAYS),
        ("AfnRecallDropped", thresholds.RECALL_DROP), ("AfnReplicaBehind", thresholds.REPLICA_LAG),
        ("AfnDiskFull", thresholds.DISK_FREE_BYTES),
    ],
)  # fmt: skip
def test_a_rule_has_the_threshold_of_the_code(alert: str, threshold: thresholds.Threshold) -> None:
    [expression] = [rule["expr"] for rule in rules() if rule["alert"] == alert]
    numbers = [float(number) for number in re.findall(r"[<>] (\d+(?:\.\d+)?)", expression)]
    assert threshold.limit in numbers
    assert ("<" in expression) is threshold.below


def test_panels_have_places_of_their_own() -> None:
    panels = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    taken = set[tuple[int, int]]()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_who_may_read_them(client: Client, watch: Watch, settings: Settings) -> None:
    def status(**headers: str) -> int:
        return client.get("/metrics", headers=headers).status_code

    settings.AFN_METRICS_TOKEN, settings.AFN_TRUST_LOOPBACK = "", False
    assert (status(), status(Authorization="Bearer ")) == (404, 404)
    settings.AFN_METRICS_TOKEN = TOKEN
    assert (status(), status(Authorization="Bearer wrong"), status(Authorization=f"Basic {TOKEN}")) == (
        401,
    ) * 3
    assert client.get("/metrics")["WWW-Authenticate"].startswith("Bearer")
    assert status(Authorization=f"Bearer {TOKEN}") == 200
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405
    settings.AFN_TRUST_LOOPBACK = True
    assert (status(), status(**{"X-Forwarded-For": "127.0.0.1"})) == (200, 401)


def test_what_is_measured_is_there_by_name(watch: Watch) -> None:
    measured = measure()
    total = value(measured, "memory_usage_bytes", type="total")
    assert total == psutil.virtual_memory().total
    assert value(measured, "afn_health_status", part="database") == 0
    assert value(measured, "cache_hit_rate") is None
    assert 0 <= (value(measured, "cpu_usage_percent") or 0) <= 100


@pytest.mark.redis
def test_a_scrape_waits_for_nobody_who_hangs(
    client: Client, watch: Watch, server: Server, settings: Settings
) -> None:
    settings.AFN_METRICS_TOKEN = TOKEN
    with server.paused():
        started = time.monotonic()
        found = scrape(client)
        assert time.monotonic() - started < 3
    status = {one.labels["part"]: one.value for one in found["afn_health_status"]}
    assert (status["redis"], status["database"]) == (2, 0)
