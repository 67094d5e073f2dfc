"""The archive: what a helper needs, and no secret, no prompt and no person."""

import json
import logging
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings
from redis import Redis

from afn_project.logs import redacting
from afn_project.logs.formatting import JsonFormatter
from ops.doctor.bundle import PARTS, write
from ops.doctor.bundle_parts import LINES
from ops.doctor.examining import Case
from ops.doctor.findings import Report
from ops.health.models import HealthRecord
from ops.jobs.causes import cause_of
from ops.jobs.models import Job, JobState
from ops.slow_queries.models import SlowQuery
from ops.webhooks.models import Webhook
from ops.webhooks.sealing import seal
from prompts.models import User
from tests.ops.backups.conftest import TEXTS, at
from tests.processes import manage
from tests.servers import redis_server

URL = "https://hooks.example.org/services/T00canary/B00canary/canaryaddress"
SECRET = "whsec_canarycanarycanary"
PASSWORD = "canary-redis-password"
TOKEN = "canary-metrics-token-0123456789"


def read(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def log(tmp_path: Path, settings: Settings) -> Path:
    file = tmp_path / "afn.log"
    file.touch(0o600)
    settings.LOGGING = {"handlers": {"file": {"filename": str(file)}}}
    return file


@pytest.mark.redis
def test_no_secret_no_prompt_and_no_person_is_in_it(
    file: Path,
    case: Case,
    log: Path,
    settings: Settings,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    with at(file) as alias:
        user = User.objects.using(alias).get(username="aoi")
        User.objects.using(alias).create(id="b" * 32, username="kenji.tanaka", email="kenji@example.net")
        Webhook.objects.using(alias).create(name="hook", sealed_url=seal(URL), sealed_secret=seal(SECRET))
        error = ValueError(f"{URL} refused 'Summarise the letter in three sentences.' of kenji.tanaka")
        Job.objects.using(alias).create(
            kind="back_up",
            state=JobState.FAILED,
            finished_at=now,
            cause=cause_of(error),
            arguments={"text": TEXTS["mail/reply"]},
            actor=user,
            actor_name="aoi",
        )
        SlowQuery.objects.using(alias).create(created_at=now, fingerprint="f", sql="SELECT ?", seconds=3)
        HealthRecord.objects.using(alias).create(part="disk", status="ok", at=now, detail="much room")
    settings.AFN_METRICS_TOKEN = TOKEN
    settings.SECRET_KEY = "canary-secret-key-" + "0" * 40
    with at(file) as alias:
        Webhook.objects.using(alias).update(sealed_url=seal(URL), sealed_secret=seal(SECRET))
    monkeypatch.setattr(redacting, "_known", None)  # and as it was in the end
    redacting.know([settings.SECRET_KEY, settings.AFN_BACKUP_KEY, TOKEN, PASSWORD])
    lines = [
        f"2026-01-31 13:51:32 WARNING app [-] {URL} refused with {SECRET} by {TOKEN}",
        "2026-01-31 13:51:33 INFO app [-] GET /api/v1/search?q=canary+question by kenji.tanaka at "
        "203.0.113.9",
        f"2026-01-31 13:51:34 ERROR app [-] {settings.AFN_BACKUP_KEY} of kenji@example.net",
        f"2026-01-31 13:51:35 ERROR app [-] got '{TEXTS['translate/ja']} {TEXTS['mail/summary']}'",
        JsonFormatter().format(
            logging.LogRecord("app", 30, "x", 1, "%s of %s", (settings.SECRET_KEY, "Kenji.Tanaka"), None)
        ),
    ]
    log.write_text("\n".join(["an old line"] * LINES + lines) + "\n")
    with redis_server(tmp_path_factory.mktemp("redis"), "--requirepass", PASSWORD) as server:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = server.url.replace("//", f"//:{PASSWORD}@")
        with Redis.from_url(settings.REDIS_URL) as client:
            client.set("canary-key", "canary-value")
        path = write(tmp_path / "help.zip", case, Report())
    found = read(path)
    assert set(found) == {*PARTS, "doctor.json", "left_out.json"}
    assert json.loads(found["left_out.json"]) == []
    everything = "\n".join(found.values())
    for text in ("canary", settings.AFN_BACKUP_KEY, "kenji", "Kenji", "203.0.113.9", *TEXTS.values()):
        assert text not in everything, text
    assert found["log.txt"].count("\n") == LINES
    assert found["log.txt"].count(f"<user {'b' * 32}>") == 2
    [job] = json.loads(found["jobs.json"])
    assert (job["kind"], job["actor_id"]) == ("back_up", "a" * 32)
    assert json.loads(found["tables.json"])["prompts"] == len(TEXTS)
    assert "CREATE TABLE" in found["schema.sql"]
    assert json.loads(found["redis.json"])["cache"]["redis_version"]
    assert json.loads(found["health.json"])[0]["detail"] == "much room"
    assert json.loads(found["slow_queries.json"])[0]["sql"] == "SELECT ?"
    assert json.loads(found["migrations.json"])[0]["applied"]
    named = {one["name"]: one for one in json.loads(found["settings.json"])}
    assert "value" not in named["SECRET_KEY"]
    assert named["TIME_ZONE"]["value"] == "UTC"


def test_it_is_this_users_alone_and_takes_no_other_files_place(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path / "help.zip", case, Report())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(CommandError, match="there is a file"):
        write(path, case, Report())
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if "help" in one.name] == ["help.zip"]


@pytest.mark.parametrize("name", ["help.txt", "nowhere/help.zip"])
def test_a_name_that_cannot_be_is_refused_before_anything_is_looked_at(tmp_path: Path, name: str) -> None:
    output = StringIO()
    with pytest.raises(CommandError, match=r"expected a file that ends with \.zip"):
        call_command("doctor", "--bundle", str(tmp_path / name), stdout=output)
    assert output.getvalue() == ""


def test_without_a_database_there_is_no_log_whose_names_could_not_be_masked(
    case: Case, file: Path, log: Path, tmp_path: Path
) -> None:
    log.write_text("2026-01-31 13:51:32 WARNING app [-] kenji.tanaka was here\n")
    file.unlink()
    found = read(write(tmp_path / "help.zip", case, Report()))
    assert set(found) == {name for name, (_, needs) in PARTS.items() if not needs} | {
        "doctor.json",
        "left_out.json",
    }
    assert found["log.txt"] == ""
    assert json.loads(found["left_out.json"])[0]["name"] == "names of users"


def test_an_api_key_of_the_database_is_in_no_part(case: Case, file: Path, tmp_path: Path) -> None:
    with at(file) as alias:
        user = User.objects.using(alias).get(username="aoi")
        user.set_password("canary-password")
        user.save(using=alias)
        hashed = user.password
    everything = "\n".join(read(write(tmp_path / "help.zip", case, Report())).values())
    assert hashed not in everything
    assert "canary" not in everything


def test_the_command_writes_it_with_what_it_found(file: Path, tmp_path: Path) -> None:
    secrets = {"AFN_METRICS_TOKEN": TOKEN, "OPENAI_API_KEY": "sk-canary0123456789abcdef"}
    path = tmp_path / "help.zip"
    done = manage("doctor", "--only", "disk", "--bundle", str(path), AFN_DATABASE_FILE=str(file), **secrets)
    assert done.returncode == 0, done.stderr
    found = read(path)
    assert {one["area"] for one in json.loads(found["doctor.json"])["findings"]} == {"disk"}
    named = {one["name"]: one for one in json.loads(found["settings.json"])}
    assert named["OPENAI_API_KEY"] == {"name": "OPENAI_API_KEY", "set": True}
    assert named["AFN_DATABASE_FILE"]["value"] == str(file)
    everything = "\n".join(found.values())
    assert "canary" not in everything
    assert "k" * 50 not in everything
    assert (datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC)) < timedelta(minutes=2)
