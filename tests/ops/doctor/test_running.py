"""Each examination by itself: one that fails, hangs or has nothing to say keeps none of the others."""

import json
import threading
from pathlib import Path

import pytest

from ops.doctor import areas
from ops.doctor.examining import Case, Examination
from ops.doctor.findings import Notes, Status
from ops.doctor.running import examine
from tests.ops.backups.conftest import ENTRY
from tests.processes import manage
from tests.servers import sqld_server


def test_an_examination_that_fails_is_a_finding_beside_what_it_found_before(case: Case) -> None:
    def look(notes: Notes, case: Case) -> None:
        notes.ok("first", "seen")
        raise RuntimeError("redis://app:canary-password@host broke")

    traced: list[str] = []
    case.traced = traced.append
    first, failed = Examination("area", "name", look).run(case)
    assert (first.name, first.status) == ("first", Status.OK)
    assert (failed.name, failed.status) == ("name", Status.PROBLEM)
    assert "RuntimeError" in failed.found
    assert "--only area" in failed.remedy
    assert "canary" not in str(failed)
    assert "in look" in traced[0]


def test_one_that_hangs_is_left_behind_after_its_own_time(case: Case) -> None:
    end = threading.Event()
    [late] = Examination("area", "name", lambda notes, case: end.wait(30) and None, timeout=0.2).run(case)
    end.set()
    assert late.status == Status.PROBLEM
    assert late.found.startswith("no answer within")


def test_only_the_areas_that_are_asked_for_are_looked_at(case: Case) -> None:
    told: list[str] = []
    report = examine(case, only=["disk", "jobs"], told=told.append)
    assert {one.area for one in report.findings} == {"disk", "jobs"}
    assert told[0] == "database: connection"
    assert set(told[1:]) == {"disk", "disk: clock", "disk: server clock", "jobs", "jobs: events"}


def test_whatever_is_not_well_says_why_and_what_mends_it(case: Case, file: Path) -> None:
    file.chmod(0o666)
    for one in examine(case, only=["permissions", "backups", "workers"]).findings:
        assert bool(one.cause) == bool(one.remedy) == (one.status != Status.OK), one


def test_the_names_of_areas_and_examinations_are_told_apart() -> None:
    assert len({(one.area, one.name) for one in areas.ALL}) == len(areas.ALL)


@pytest.mark.sqld
def test_a_server_is_examined_as_a_file_is(db: None, tmp_path: Path) -> None:
    with sqld_server(tmp_path) as server:
        report = examine(
            Case({**ENTRY, "NAME": server.url}), only=["database", "versions", "schema", "data", "disk"]
        )
    found = {(one.area, one.name): one for one in report.findings}
    assert found["database", "connection"].status == Status.OK, found
    assert server.url in found["database", "connection"].found
    assert "sqld" in found["versions", "server"].found
    assert found["disk", "clock of the database"].status == Status.OK
    assert found["data", "pages"].status == Status.OK
    assert found["schema", "empty database"].status == Status.PROBLEM
    failed = [one for one in report.findings if "could not be looked at" in one.found]
    assert failed == []


def test_the_command_works_without_a_database_and_without_redis_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    places = {"AFN_DATABASE_FILE": str(file), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = manage("doctor", "--only", "database", "redis", **places)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert f"✗ connection: there is no file {file}" in lines
    assert [line for line in lines if line.startswith("✗ cache and queue: connection: it does not answer")]
    assert [line for line in lines if line.startswith("  → `manage.py init_db` makes it.")]
    assert lines[-1].startswith("2 problems, ")
    assert not file.exists()


def test_the_command_ends_with_0_where_there_are_but_warnings(file: Path) -> None:
    Path(f"{file}.frozen").write_text("moving")
    done = manage("doctor", "--json", "--only", "data", "database", AFN_DATABASE_FILE=str(file))
    report = json.loads(done.stdout)
    warned = {one["name"] for one in report["findings"] if one["status"] == "warning"}
    assert done.returncode == 0, done.stdout
    assert (report["is_well"], report["problems"], warned) == (True, 0, {"writing"})
    assert "✓" not in done.stdout + done.stderr


def test_settings_that_do_not_start_are_told_as_always() -> None:
    done = manage("doctor", AFN_BACKUPS_KEEP="canary")
    assert done.returncode == 1
    assert "AFN_BACKUPS_KEEP" in done.stderr
    assert "Traceback" not in done.stderr
