"""Backups in the console: what there is, what proves it, taking it out and putting it in place."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.test import AsyncRequestFactory, Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from ops.audit.models import AuditEntry
from ops.backups import downloading, folder, in_place, retention, s3
from ops.backups.errors import BackupProblem, NotProved
from ops.backups.making import Backup, back_up
from ops.backups.models import BackupDrill
from ops.backups.names import BackupName
from ops.environments.local import Provider
from ops.jobs import running
from ops.jobs.models import Job, JobState
from prompts.limiting import limiter
from prompts.models import LoginLock, User
from tests.ops.backups.conftest import names
from tests.ops.backups.conftest import place as place

from .conftest import PASSWORD, text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/ops/backupdrill/"


@pytest.fixture(autouse=True)
def _here(place: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages work on `live`; rows of jobs, drills and people are those of the tests' database."""
    for module in ("jobs", "overview", "pages", "in_place"):
        monkeypatch.setattr(f"ops.backups.{module}.get_provider", lambda: place)
    limiter.clear()
    yield
    limiter.clear()


@pytest.fixture
def backup(place: Provider) -> Backup:
    return back_up(place)


def page_of(backup: Backup) -> str:
    return f"{LIST}backup/{backup.path.name}/"


def drilled(backup: Backup, **values: Any) -> BackupDrill:
    fields = {"ok": True, "tables": 61, "rows": 1_234, "probes": 20, "seconds": 2.5, "sha256": "0" * 64}
    return BackupDrill.objects.create(backup=backup.path.name, **fields | values)


def test_the_list_has_what_is_known_of_each(
    admin: Client, backup: Backup, django_assert_max_num_queries: Any
) -> None:
    drilled(backup)
    Job.objects.create(kind="back_up", state=JobState.SUCCEEDED, finished_at=timezone.now(),
                       result=backup.as_json() | {"tables": {"prompts": 4_711, "versions": 2}})  # fmt: skip
    (folder.folder() / "not-a-backup.txt").write_text("canary")
    (folder.folder() / "live-20260101T020000Z.afnbackup").symlink_to("/etc/passwd")
    with django_assert_max_num_queries(14):
        page = text_of(admin.get(LIST))
    assert backup.path.name in page
    assert "proved just now" in page
    assert "4,711" in page
    assert "4,713" in page
    assert "not encrypted" in page
    assert "newest, hourly, daily, weekly, monthly" in page
    assert "not-a-backup" not in page
    assert "live-20260101" not in page
    assert "61 tables, 1,234 rows, 20 searches in 2.5 s" in page
    assert "chart-drills" in page


def test_an_empty_list_names_the_next_step(admin: Client) -> None:
    page = text_of(admin.get(LIST))
    assert "There are no backups yet" in page
    assert "Back up now" in page
    assert "None yet. A drill restores" in page


def test_what_the_rule_does_not_keep_is_marked(admin: Client, backup: Backup, settings: Settings) -> None:
    settings.AFN_BACKUPS_KEEP = "daily=1"
    old = folder.folder() / "live-20260101T020000Z.afnbackup"
    old.write_bytes(backup.path.read_bytes())
    page = text_of(admin.get(LIST))
    assert page.count("removed next") == 1
    assert "1 goes" in page
    BackupDrill.objects.create(backup=old.name, ok=True, sha256="0", backup_created_at=timezone.now())
    assert "removed next" not in text_of(admin.get(LIST))


def test_the_bucket_is_asked_by_a_part_of_the_page(
    admin: Client, backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_there = BackupName.checked("live-20260101T020000Z.afnbackup")
    there = [s3.Stored(name, str(name), 2_048) for name in (only_there, folder.stored()[0].name)]
    monkeypatch.setattr(s3, "is_configured", lambda: True)
    monkeypatch.setattr(s3, "stored", lambda environment="": there)
    page = text_of(admin.get(LIST))
    assert 'hx-trigger="load"' in page
    assert str(only_there) not in page
    live = text_of(admin.get(LIST + "live/"))
    assert str(only_there) in live
    assert live.count(">bucket</span>") == 2
    assert admin.get(f"{LIST}backup/{only_there}/").status_code == 200

    def unreachable(environment: str = "") -> None:
        raise BackupProblem("The bucket b cannot be reached (x).")

    monkeypatch.setattr(s3, "stored", unreachable)
    away = text_of(admin.get(LIST + "live/"))
    assert "The bucket b cannot be reached (x)." in away
    assert backup.path.name in away


def test_the_reasons_for_keeping_one() -> None:
    found = [BackupName(datetime(2026, 1, day, 2, tzinfo=UTC), 0, "prod") for day in (1, 2, 3)]
    rule = retention.read_rule("daily=2 monthly=1")
    assert retention.reasons(found, rule) == {
        found[2]: ["newest", "daily", "monthly"],
        found[1]: ["daily"],
    }


def test_jobs_about_backups_are_live_on_the_list(admin: Client, backup: Backup) -> None:
    start = "/admin/ops/job/start/drill_backup/"
    answer = admin.post(start, {"backup": backup.path.name, "next": LIST}, follow=True)
    assert answer.redirect_chain[0][0] == LIST
    assert "Prove a backup is on its way." in text_of(answer)
    assert 'hx-get="/admin/ops/backupdrill/live/?working=1"' in text_of(answer)
    running.run(Job.objects.get().pk)
    answer = admin.get(LIST + "live/")
    assert "HX-Refresh" not in answer.headers
    live = text_of(answer)
    assert "hx-get" not in live
    # What a job has brought about is on the rest of the page, too.
    assert admin.get(LIST + "live/?working=1").headers["HX-Refresh"] == "true"
    assert "proved just now" in live
    assert BackupDrill.objects.get().ok


def test_a_page_of_one_says_what_is_in_it_once_it_was_read(admin: Client, backup: Backup) -> None:
    assert "was not read yet" in text_of(admin.get(page_of(backup)))
    admin.post("/admin/ops/job/start/verify_backup/", {"backup": backup.path.name})
    assert running.run(Job.objects.get().pk) == JobState.SUCCEEDED
    page = text_of(admin.get(page_of(backup)))
    assert f'<code>prompts</code></th><td class="afn-number-cell">{backup.tables["prompts"]}</td>' in page
    assert Job.objects.get().result["sha256"] in page
    assert "Replace live" in page


@pytest.mark.parametrize(
    "name",
    ["live-20990101T020000Z.afnbackup", "passwd", "..", "../../etc/passwd", "%2e%2e%2fafn.db", "a" * 500],
)
def test_only_names_of_the_catalogue_are_backups(admin: Client, backup: Backup, name: str) -> None:
    for path in (f"{LIST}backup/{quote(name, safe='')}/", f"{LIST}backup/{quote(name, safe='')}/download/"):
        answer = admin.post(path, {"password": PASSWORD}) if "download" in path else admin.get(path)
        assert answer.status_code in (301, 302, 404), path
        assert "Content-Disposition" not in answer


def test_a_link_in_the_folder_is_no_backup(admin: Client, backup: Backup) -> None:
    link = folder.folder() / "live-20260101T020000Z.afnbackup"
    link.symlink_to("/etc/passwd")
    assert admin.get(f"{LIST}backup/{link.name}/").status_code == 404


def download(client: Client, backup: Backup, password: str = PASSWORD) -> Any:
    return client.post(page_of(backup) + "download/", {"password": password})


def test_a_download_is_the_file_and_is_audited(admin: Client, backup: Backup) -> None:
    answer = download(admin, backup)
    assert answer["Content-Disposition"] == f'attachment; filename="{backup.path.name}"'
    assert answer["Content-Length"] == str(backup.bytes)
    assert "no-store" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content) == backup.path.read_bytes()
    line = AuditEntry.objects.get(action="backup.downloaded")
    assert (line.object_name, line.actor_name) == (backup.path.name, "aoi")
    assert admin.get(page_of(backup) + "download/").status_code == 405


def test_it_is_sent_in_pieces_by_either_interface(backup: Backup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "_PIECE", 1_000)

    def sent(request: HttpRequest) -> list[bytes]:
        answer = downloading.send(request, folder.stored()[0])

        async def collect() -> list[bytes]:
            return [piece async for piece in answer]

        return asyncio.run(collect()) if answer.is_async else list(answer)

    by_wsgi, by_asgi = sent(RequestFactory().get("/")), sent(AsyncRequestFactory().get("/"))
    assert by_wsgi == by_asgi
    assert max(map(len, by_wsgi)) == 1_000
    assert b"".join(by_wsgi) == backup.path.read_bytes()


def test_wrong_passwords_count_as_at_the_login(admin: Client, backup: Backup) -> None:
    assert "expected your own, got nothing" in text_of(download(admin, backup, ""))
    assert not LoginLock.objects.exists()
    for _ in range(4):
        assert "expected your own, got another one" in text_of(download(admin, backup, "guess"))
    locked = "Too many wrong passwords from your address. Try again in 15 minutes."
    assert locked in text_of(download(admin, backup, "guess"))
    assert locked in text_of(download(admin, backup))  # with the right one, too
    assert locked in text_of(restored(admin, backup))
    login = Client().post("/admin/login/", {"username": "aoi", "password": PASSWORD})
    assert "Too many wrong passwords" in text_of(login)
    assert not AuditEntry.objects.filter(action__startswith="backup.").exists()


def test_who_is_no_superuser_takes_nothing_out(staff: Callable[..., Client], backup: Backup) -> None:
    client = staff("view_backupdrill")
    page = text_of(client.get(page_of(backup)))
    assert "Superusers can download and restore it" in page
    assert 'type="password"' not in page
    ben = User.objects.get(username="ben")
    for extra in ((), ("change_job", "change_environment", "delete_environment")):
        ben.user_permissions.add(*Permission.objects.filter(codename__in=extra))
        assert download(client, backup).status_code == 403
        assert restored(client, backup).status_code == 403
    ben.user_permissions.clear()
    for path in (LIST, LIST + "live/", LIST + "drills/", page_of(backup)):
        assert client.get(path).status_code == 403
    for path in ("", "download/", "restore/"):
        assert Client().post(page_of(backup) + path, {"password": PASSWORD}).status_code == 302


def restored(client: Client, backup: Backup, **values: str) -> Any:
    form = {"password": PASSWORD, "environment": "live"} | values
    return client.post(page_of(backup) + "restore/", form)


def test_a_restore_wants_password_and_name(admin: Client, backup: Backup, place: Provider) -> None:
    before = Path(place.get("live").address).stat().st_ino
    assert "expected your own, got another one" in text_of(restored(admin, backup, password="x"))
    wrong = text_of(restored(admin, backup, environment="prod"))
    assert "Nothing was changed: type live" in wrong
    assert "<details open>" in wrong
    assert admin.get(page_of(backup) + "restore/").status_code == 405
    assert Path(place.get("live").address).stat().st_ino == before
    assert [one.name for one in place.list()] == ["live"]


def test_a_restore_brings_back_what_was_and_keeps_what_is(
    admin: Client, backup: Backup, place: Provider
) -> None:
    from tests.ops.backups.conftest import at
    from tests.prompts.databases import save

    live = Path(place.get("live").address)
    with at(live) as alias:
        save(alias, "written/since", "After the backup.")
    page = text_of(restored(admin, backup))
    assert "live is restored" in page
    assert "written/since" not in names(live)
    [kept] = [one for one in place.list() if one.name.startswith("before-restore-")]
    assert kept.name in page
    assert "written/since" in names(Path(kept.address))
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"backup.restoring", "backup.restored"} <= actions


def test_a_backup_that_is_not_what_it_says_changes_nothing(
    admin: Client, backup: Backup, place: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise NotProved("What was restored is not what was backed up, so that nothing was changed: x.")

    monkeypatch.setattr(in_place, "restore", broken)
    page = text_of(restored(admin, backup))
    assert "so that nothing was changed: x." in page
    assert [one.name for one in place.list()] == ["live"]


def test_a_damaged_file_is_refused_before_anything_is_touched(
    admin: Client, backup: Backup, place: Provider
) -> None:
    backup.path.write_bytes(backup.path.read_bytes()[:-100])
    assert "does not end as one does" in text_of(admin.get(page_of(backup)))
    assert "does not end as one does" in text_of(restored(admin, backup))
    assert [one.name for one in place.list()] == ["live"]


def test_two_restores_do_not_meet(admin: Client, backup: Backup) -> None:
    with in_place._alone():
        assert "Somebody else is restoring a backup." in text_of(restored(admin, backup))


def test_whether_the_session_goes_on_is_said(admin: Client, aoi: User) -> None:
    key = admin.session.session_key
    assert in_place._knows(aoi, key)
    assert not in_place._knows(aoi, "another")
    User.objects.filter(pk=aoi.pk).update(password="!")
    assert not in_place._knows(aoi, key)
