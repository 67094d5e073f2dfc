"""Backups in a bucket, by a server that speaks S3 (moto), over real HTTP."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.alerts import metrics
from ops.backups import catalogue, folder, s3
from ops.backups.errors import BackupProblem, DamagedBackup
from ops.backups.jobs import upload_soon
from ops.backups.making import Backup
from ops.backups.names import BackupName
from ops.backups.pruning import prune
from ops.backups.unpacking import unpack
from ops.environments.local import Provider
from ops.health.parts import backups
from ops.jobs.models import Job
from ops.monitoring.measuring import by_name
from tests.processes import wait_for
from tests.servers import HOST, free_port

BUCKET = "afn-backups"
SECRET = "canary-s3-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as one:
            return one.connect_ex((HOST, port)) == 0

    try:
        assert wait_for(answers)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(10)


class Between(ThreadingHTTPServer):
    """Passes requests on to the server, counts those that send, and cuts off where it is told to."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.target = target
        self.parts: list[int] = []
        self.downloads: list[str] = []
        self.spoil = False
        self.fail_part = 0
        self.cut = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        between, body = self.server, self._body()
        if part := re.search(r"partNumber=(\d+)", self.path):
            if self.command == "PUT":
                between.parts.append(int(part[1]))
            if int(part[1]) == between.fail_part:
                self.close_connection = True
                return
        headers = {"Content-Type": "application/octet-stream", **dict(self.headers)}
        request = Request(f"{between.target}{self.path}", body, headers, method=self.command)
        try:
            with urlopen(request) as response:
                status, answered, content = response.status, response.headers, response.read()
        except HTTPError as error:
            status, answered, content = error.code, error.headers, error.read()
        is_download = (
            self.command == "GET" and ".afnbackup" in self.path and "upload" not in self.path and status < 300
        )
        if is_download:
            between.downloads.append(self.headers.get("Range", ""))
            if between.spoil:
                content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(status)
        for name, value in answered.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length") and not (
                is_download and name.lower().startswith("x-amz-checksum")
            ):
                self.send_header(name, value)
        self.send_header("Content-Length", answered.get("Content-Length") or str(len(content)))
        self.end_headers()
        if is_download and between.cut:
            self.wfile.write(content[: between.cut])
            between.cut = 0
            self.close_connection = True
            return
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def _body(self) -> bytes | None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            del self.headers["Expect"]
        if length := self.headers.get("Content-Length"):
            return self.rfile.read(int(length))
        return None


@pytest.fixture
def between(server: str, settings: Settings) -> Iterator[Between]:
    proxy = Between(server)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    settings.AFN_BACKUPS_S3_BUCKET = BUCKET
    settings.AFN_BACKUPS_S3_PREFIX = "team/a"
    settings.AFN_BACKUPS_S3_ENDPOINT = proxy.url
    settings.AFN_BACKUPS_S3_REGION = "us-east-1"
    settings.AFN_BACKUPS_S3_ACCESS_KEY = "key"
    settings.AFN_BACKUPS_S3_SECRET_KEY = SECRET
    _client(server).create_bucket(Bucket=BUCKET)
    yield proxy
    proxy.shutdown()
    proxy.server_close()
    urlopen(Request(f"{server}/moto-api/reset", method="POST")).close()


def _client(url: str) -> Any:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=url, **keys)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings) -> Path:
    """A file of three parts."""
    settings.AFN_BACKUPS_DIR = tmp_path / "backups"
    folder.folder().mkdir()
    monkeypatch.setattr(s3, "PART", 5 * 2**20)
    monkeypatch.setattr(s3, "_TRIES", 2)
    file = folder.folder() / "prod-20260101T020000Z.afnbackup"
    file.write_bytes(bytes(range(256)) * (12 * 4096))
    return file


def test_a_backup_goes_to_the_bucket_and_comes_back(
    place: Provider, make: Callable[[], Backup], between: Between
) -> None:
    made = make()
    content = made.path.read_bytes()
    assert catalogue.publish(made.path) == f"s3://{BUCKET}/team/a/{made.path.name}"
    (known,) = catalogue.read("live").backups
    assert (known.here is not None, known.there is not None, known.bytes) == (True, True, made.bytes)
    made.path.unlink()
    assert catalogue.read("live").backups[0].here is None
    assert catalogue.newest("live").read_bytes() == content
    assert unpack(made.path).about.environment == "live"
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_job_brings_it_there_only_where_there_is_a_bucket(db: None, settings: Settings) -> None:
    settings.AFN_BACKUPS_S3_BUCKET = ""
    upload_soon()
    assert not Job.objects.exists()
    settings.AFN_BACKUPS_S3_BUCKET = BUCKET
    upload_soon()
    assert Job.objects.get().kind == "upload_backups"


def test_what_the_bucket_lacks_is_brought_before_it(
    place: Provider, make: Callable[[], Backup], between: Between
) -> None:
    made = [make().path for _ in range(3)]
    catalogue.publish(made[-1])
    assert {str(one.name) for one in s3.stored("live")} == {path.name for path in made}


def test_health_knows_what_was_brought_to_the_bucket_without_asking_it(
    place: Provider, make: Callable[[], Backup], between: Between, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(backups, "_environment", lambda: "live")

    def look() -> tuple[str, float | None]:
        """What health says, and the figure that alerts have of it, while nobody answers for the bucket."""
        settings.AFN_BACKUPS_S3_ENDPOINT = f"http://{HOST}:{free_port()}"
        found = backups.probe()
        settings.AFN_BACKUPS_S3_ENDPOINT = between.url
        return found.detail, metrics._read("uploaded_age_hours", by_name(found.samples), timezone.now())

    old, made = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=27), make().path
    made = made.rename(made.with_name(str(replace(BackupName.checked(made.name), moment=old))))
    detail, hours = look()
    assert "none was brought to the bucket" in detail
    assert 0 <= (hours or 0) < 24  # since the tables were made
    catalogue.publish(made)
    new = make().path
    detail, hours = look()
    assert detail.startswith("the newest in the bucket is 27 h old; ")
    assert hours == pytest.approx(27, abs=0.2)
    catalogue.publish(new)
    catalogue.publish(made)  # an older one, which changes nothing
    detail, hours = look()
    assert "bucket" not in detail
    assert hours == pytest.approx(0, abs=0.2)
    settings.AFN_BACKUPS_S3_PREFIX = "team/b"  # where nothing is
    assert "none was brought to the bucket" in look()[0]
    settings.AFN_BACKUPS_S3_BUCKET = ""
    assert look()[1] is None


def test_the_same_is_not_sent_twice(large: Path, between: Between) -> None:
    s3.upload(large)
    sent = len(between.parts)
    s3.upload(large)
    assert sent == len(between.parts) == 3


def test_an_upload_that_broke_off_is_gone_on_with(large: Path, between: Between) -> None:
    between.fail_part = 3
    with pytest.raises(BackupProblem, match="cannot be reached"):
        s3.upload(large)
    assert s3.stored() == []
    between.fail_part, between.parts = 0, []
    s3.upload(large)
    assert between.parts == [3]
    assert s3.stored()[0].bytes == large.stat().st_size


def test_parts_of_another_content_are_sent_again(large: Path, between: Between) -> None:
    between.fail_part = 3
    with pytest.raises(BackupProblem):
        s3.upload(large)
    with large.open("r+b") as opened:
        opened.write(b"another")
    between.fail_part, between.parts = 0, []
    with pytest.raises(BackupProblem, match="not what was sent"):
        s3.upload(large)  # the upload that was begun says what it is of
    assert between.parts == [1, 3]
    s3.upload(large)
    assert s3._is_there(_client(between.url), s3._key(large.name), large.stat().st_size, folder.sha256(large))


def test_a_download_that_breaks_off_goes_on(large: Path, between: Between, tmp_path: Path) -> None:
    s3.upload(large)
    between.cut = 1_000_000
    s3.download(BackupName.checked(large.name), tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == large.read_bytes()
    assert len(between.downloads) == 2
    assert re.fullmatch(r"bytes=\d+-", between.downloads[1])


def test_what_comes_back_changed_is_refused(large: Path, between: Between, tmp_path: Path) -> None:
    s3.upload(large)
    between.spoil = True
    large.unlink()
    with pytest.raises(DamagedBackup, match="not as it was sent"):
        catalogue.fetch("prod-20260101T020000Z.afnbackup")
    assert list(folder.folder().iterdir()) == []


def test_the_bucket_is_pruned_by_the_same_rule(
    place: Provider, large: Path, between: Between, settings: Settings
) -> None:
    settings.AFN_BACKUPS_KEEP = "daily=2"
    for day in (2, 3, 4):
        s3.upload(large.rename(large.with_name(f"prod-2026010{day}T020000Z.afnbackup")).rename(large))
    for day in (2, 3, 4):
        name = large.with_name(f"prod-2026010{day}T020000Z.afnbackup")
        name.write_bytes(b"x")
        s3.upload(name)
    _client(between.url).put_object(Bucket=BUCKET, Key="team/a/notes.txt", Body=b"mine")
    prune()
    assert [one.name.moment.day for one in s3.stored()] == [4, 3]
    keys = [one["Key"] for one in _client(between.url).list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert "team/a/notes.txt" in keys


def test_an_upload_that_nobody_goes_on_with_is_given_up(large: Path, between: Between) -> None:
    between.fail_part = 3
    with pytest.raises(BackupProblem):
        s3.upload(large)
    (begun,) = _client(between.url).list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert s3.give_up_abandoned(begun["Initiated"] + s3.ABANDONED - timedelta(hours=1)) == 0
    assert s3.give_up_abandoned(begun["Initiated"] + s3.ABANDONED + timedelta(hours=1)) == 1


def test_a_bucket_that_is_not_there_is_said_without_a_secret(
    place: Provider, make: Callable[[], Backup], between: Between, settings: Settings
) -> None:
    made = make()
    settings.AFN_BACKUPS_S3_BUCKET = "nope"
    with pytest.raises(BackupProblem, match="NoSuchBucket") as refused:
        catalogue.publish(made.path)
    assert SECRET not in str(refused.value)
    found = catalogue.read("live")
    assert "NoSuchBucket" in found.problem
    assert [one.here is not None for one in found.backups] == [True]
    assert made.path.exists()


def test_a_server_that_is_not_there_is_said(
    large: Path, between: Between, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_TRIES", 1)
    settings.AFN_BACKUPS_S3_ENDPOINT = f"http://{HOST}:{free_port()}"
    with pytest.raises(BackupProblem, match="cannot be reached"):
        s3.upload(large)
