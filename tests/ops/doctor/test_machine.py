"""What is found at the machine: rights, room, clock, certificates, packages, settings, backups."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from ops.alerts import metrics
from ops.backups.making import back_up
from ops.backups.models import BackupDrill
from ops.doctor.areas import disk
from ops.doctor.areas.versions import differing
from ops.doctor.examining import Case
from ops.environments.local import Provider
from ops.monitoring.certificates import Certificates
from ops.monitoring.measuring import by_name
from ops.redis import certificates
from tests.ops.backups.conftest import at
from tests.processes import wait_for

from .conftest import Look, levels


def test_what_others_may_read_says_how_to_close_it(sound: Path, look: Look) -> None:
    assert levels(look("permissions", "permissions")) == {}
    [backup] = (sound.parent / "backups").glob("*.afnbackup")
    sound.chmod(0o640)
    backup.chmod(0o604)
    (sound.parent / "backups").chmod(0o755)
    found = look("permissions", "permissions")
    assert {one.remedy for one in found.values()} == {
        f"chmod 600 {sound}",
        f"chmod 600 {backup}",
        f"chmod 700 {sound.parent / 'backups'}",
    }
    assert {one.status for one in found.values()} == {"problem"}


def test_a_log_that_others_may_read_is_found(tmp_path: Path, settings: Settings, look: Look) -> None:
    log = tmp_path / "afn.log"
    log.touch(0o644)
    log.chmod(0o644)
    settings.LOGGING = {"handlers": {"file": {"filename": str(log)}}}
    assert levels(look("permissions", "permissions")) == {"file afn.log": "problem"}
    assert set(look("disk", "disk")) == {"database", "backups", "log"}


def test_a_disk_that_is_full_is_a_problem(look: Look, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    usage = type(disk.shutil.disk_usage(file.parent))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**8, 10**8))
    found = look("disk", "disk")["database"]
    assert found.status == "problem"
    assert "prune_backups" in found.remedy


def test_files_from_the_future_tell_of_a_wrong_clock(file: Path, look: Look) -> None:
    assert levels(look("disk", "clock")) == {}
    os.utime(file, (time.time() + 3_600,) * 2)
    found = look("disk", "clock")["clock"]
    assert found.status == "warning"
    assert str(file) in found.found


@contextmanager
def tls_server(folder: Path, begun: datetime) -> Iterator[tuple[int, Path]]:
    """Says nothing but its certificate; the port, and the file of its authority."""
    made = certificates.make("127.0.0.1", now=begun)
    (folder / "server.pem").write_bytes(made.certificate + made.key)
    (folder / "ca.pem").write_bytes(made.authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], folder / "ca.pem"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("age", "is_known", "status", "words"),
    [
        (0, True, "ok", "good for 824 more days"),
        (0, False, "problem", "is not believed"),
        (804, True, "warning", "ends in 20 days"),
        (822, True, "problem", "ends in 2 days"),
        (900, True, "problem", "ended on"),
    ],
)
def test_certificates_are_told_by_their_end(
    tmp_path: Path, settings: Settings, look: Look, age: int, is_known: bool, status: str, words: str
) -> None:
    with tls_server(tmp_path, datetime.now(UTC) - timedelta(days=age)) as (port, authority):
        end = f"?ssl_ca_certs={authority}" if is_known else ""
        settings.REDIS_URL = settings.CELERY_BROKER_URL = f"rediss://127.0.0.1:{port}/0{end}"
        found = look("certificates", "certificates")
    assert list(found) == ["REDIS_URL"]
    assert found["REDIS_URL"].status == status
    assert words in found["REDIS_URL"].found


def test_how_long_certificates_are_good_is_a_figure(tmp_path: Path, settings: Settings) -> None:
    figures = Certificates()
    with tls_server(tmp_path, datetime.now(UTC) - timedelta(days=813)) as (port, _):
        settings.REDIS_URL = f"rediss://127.0.0.1:{port}/0"
        settings.CELERY_BROKER_URL = "rediss://127.0.0.1:1/0"  # where nobody answers
        assert figures.known() == []  # nobody waits for it
        [found] = wait_for(figures.known)
    assert found.labels == {"name": "REDIS_URL"}
    assert 11 <= found.value < 12
    measured = by_name([found, found._replace(value=20.0)])
    assert metrics._read("certificate_days", measured, datetime.now(UTC)) == found.value


def test_services_of_others_are_only_called_when_asked_for(settings: Settings, look: Look) -> None:
    settings.OPENAI_BASE_URL = "https://127.0.0.1:1/v1"
    assert levels(look("certificates", "certificates")) == {}
    found = look("certificates", "certificates", deep=True)
    assert found["OPENAI_BASE_URL"].status == "problem"


def test_packages_are_compared_with_those_that_are_pinned(
    tmp_path: Path, settings: Settings, look: Look
) -> None:
    assert levels(look("versions", "packages")) == {}
    pins = tmp_path / "requirements.txt"
    pins.write_text(
        "# comment\nDjango==1.0\nlibsql==9.9 ; python_version > '3'\nnot-there==1\nolder==1 ; "
        "python_version < '3'\n"
    )
    settings.BASE_DIR = tmp_path
    assert [name for name, _, _ in differing(pins)] == ["Django", "libsql", "not-there"]
    found = look("versions", "packages")
    assert levels(found) == {"Django": "warning", "libsql": "problem", "not-there": "warning"}
    assert "pip install libsql==9.9" in found["libsql"].remedy


def test_settings_that_are_dangerous_are_found(settings: Settings, look: Look) -> None:
    assert levels(look("settings", "checks")) == {}
    settings.DEBUG, settings.ENVIRONMENT = True, "production"
    found = look("settings", "checks")["DEBUG"]
    assert found.status == "problem"
    assert "DEBUG=0" in found.remedy
    settings.ENVIRONMENT = "development"
    assert levels(look("settings", "checks")) == {}
    settings.DEBUG, settings.SECURE_SSL_REDIRECT, settings.AFN_PROXIES = False, True, 0
    assert "afn.W005" in levels(look("settings", "checks"))


def test_secrets_that_others_can_read_are_found(
    tmp_path: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / ".env"
    plain.write_text("DEBUG=0\n")
    plain.chmod(0o644)
    (tmp_path / ".env.enc").write_text("x")
    monkeypatch.setattr("afn_project.env.FILE", plain)
    assert set(levels(look("settings", "secrets"))) == {"afn.W010", "afn.W011"}


def test_backups_that_are_missing_old_or_broken_are_found(
    place: Provider, file: Path, look: Look, case: Case, settings: Settings
) -> None:
    settings.ENVIRONMENT = "production"
    assert look("backups", "backups")["newest"].status == "problem"
    settings.ENVIRONMENT = "development"
    assert look("backups", "backups")["newest"].status == "warning"
    made = back_up(place)
    assert look("backups", "backups")["newest"].status == "ok"
    assert levels(look("backups", "drills")) == {"drill": "warning"}
    with at(file) as alias:
        BackupDrill.objects.using(alias).create(
            backup=made.path.name, sha256="0", ok=False, problems=["rows"]
        )
    broken = look("backups", "drills")["drill"]
    assert broken.status == "problem"
    assert "drill_backup" in broken.remedy
    old = look("backups", "backups", now=case.now + timedelta(hours=40))["newest"]
    assert (old.status, "backup_database" in old.remedy) == ("problem", True)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"AFN_BACKUP_KEY": ""}, {"key": "warning", "elsewhere": "warning"}),
        ({"AFN_BACKUP_KEY": "canary"}, {"key": "problem", "elsewhere": "warning"}),
        (
            {
                "AFN_BACKUPS_S3_BUCKET": "b",
                "AFN_BACKUPS_S3_ENDPOINT": "http://127.0.0.1:1",
                "AFN_BACKUPS_S3_REGION": "x",
                "AFN_BACKUPS_S3_ACCESS_KEY": "k",
                "AFN_BACKUPS_S3_SECRET_KEY": "s",
            },
            {"elsewhere": "problem"},
        ),
    ],
)
def test_keys_and_buckets_that_do_not_work_are_found(
    place: Provider, settings: Settings, look: Look, values: dict[str, str], found: dict[str, str]
) -> None:
    back_up(place)
    for name, value in values.items():
        setattr(settings, name, value)
    seen = look("backups", "backups")
    assert levels(seen) == found
    assert "canary" not in str(seen)


def test_a_server_that_is_not_there_is_a_problem(case: Case, file: Path) -> None:
    from ops.doctor.running import examine

    server: dict[str, Any] = {"NAME": "http://127.0.0.1:1", "OPTIONS": {"timeout": 1.0}}
    case.entry = {**case.entry, **server}
    [down, left_out] = examine(case, only=["data"]).findings
    assert down.status == "problem"
    assert "TURSO_DATABASE_URL" in down.remedy
    assert left_out.found == "data: references, data: pages"
