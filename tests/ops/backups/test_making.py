"""A backup is consistent, whole, and leaves nothing else behind."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from ops.backups import folder, keys
from ops.backups.errors import BackupProblem, NoSpace
from ops.backups.making import Backup, back_up
from ops.backups.restoring import restore_redis_into
from ops.backups.unpacking import read_about, unpack
from ops.environments.base import EnvironmentProblem
from ops.environments.local import Provider
from tests.ops.backups.conftest import TEXTS, at, names
from tests.processes import MANAGE, clean_environment
from tests.servers import redis_server

Make = Callable[[], Backup]


def test_it_holds_what_the_database_held(make: Make, tmp_path: Path) -> None:
    made = make()
    found = unpack(made.path, tmp_path / "out.db")
    assert names(tmp_path / "out.db") == set(TEXTS)
    assert found.about.environment == "live"
    assert found.about.engine == "file"
    assert made.tables == {name: one.rows for name, one in found.manifest.tables.items()}
    assert made.tables["prompts"] == len(TEXTS)
    assert made.probes == len(found.manifest.probes) == 2 * len(TEXTS)
    assert {probe.mode for probe in found.manifest.probes} == {"semantic", "keyword"}
    assert all(probe.key in [key for key, _ in probe.found] for probe in found.manifest.probes)


def test_what_is_told_of_it_is_true(make: Make) -> None:
    made = make()
    told = made.as_json()
    assert set(told) >= {"path", "bytes", "sha256", "tables"}
    assert told["bytes"] == made.path.stat().st_size
    assert told["sha256"] == folder.sha256(made.path)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_else_is_left(make: Make, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    made = make()
    assert {path.name for path in tmp_path.iterdir()} - before <= {"backups", "environments"}
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


def test_two_in_one_second_are_two(make: Make) -> None:
    made = [make().path for _ in range(3)]
    assert len(set(made)) == 3
    assert [one.path for one in folder.stored("live")] == sorted(made, key=made.index, reverse=True)


def test_a_folder_that_a_killed_process_left_is_cleared(make: Make, place: Provider) -> None:
    left = make().path.parent / ".staging-dead"
    left.mkdir()
    (left / "database.db").write_bytes(b"x")
    make()
    assert not left.exists()


def test_with_a_key_nobody_else_reads_it(make: Make, key: object, settings: Settings) -> None:
    made = make()
    assert made.encrypted
    assert b"friendly" not in made.path.read_bytes()
    assert read_about(made.path).environment == "live"
    settings.AFN_BACKUP_KEY = ""
    with pytest.raises(BackupProblem, match="AFN_BACKUP_KEY"):
        read_about(made.path)


def test_an_offline_key_opens_it_too(make: Make, key: object, settings: Settings, tmp_path: Path) -> None:
    settings.AFN_BACKUP_RECIPIENTS = [keys.make_key(tmp_path / "offline")]
    made = make()
    settings.AFN_BACKUP_KEY = (tmp_path / "offline").read_text().split()[-1]
    assert unpack(made.path).about.environment == "live"


def test_an_old_key_opens_old_backups_after_a_new_one(make: Make, key: object, settings: Settings) -> None:
    old, text = make(), settings.AFN_BACKUP_KEY
    fresh = "AGE-SECRET-KEY-1"
    settings.AFN_BACKUP_KEY = f"{_other()}\n{text}"
    new = make()
    assert settings.AFN_BACKUP_KEY.startswith(fresh)
    assert [unpack(one.path).about.environment for one in (old, new)] == ["live", "live"]
    settings.AFN_BACKUP_KEY = text
    with pytest.raises(BackupProblem):
        unpack(new.path)


def _other() -> str:
    from pyrage.x25519 import Identity

    return str(Identity.generate())


@pytest.mark.parametrize(
    ("name", "value"),
    [("AFN_BACKUP_KEY", "canary-no-key"), ("AFN_BACKUP_RECIPIENTS", ["age1canary"])],
)
def test_a_wrong_key_is_refused_and_not_shown(
    make: Make, settings: Settings, name: str, value: object
) -> None:
    setattr(settings, name, value)
    with pytest.raises(BackupProblem, match=name) as refused:
        make()
    assert "canary-no-key" not in str(refused.value)


def test_a_disk_without_room_is_noticed_before_anything_is_written(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1_000})())
    with pytest.raises(NoSpace, match="are free"):
        make()
    assert list(folder.folder().iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_backup(place: Provider, tmp_path: Path) -> None:
    """In a process that can make no file larger than the database."""
    import resource

    size = (tmp_path / "live.db").stat().st_size
    environment = clean_environment(
        SECRET_KEY="k" * 50,
        AFN_DATABASE_FILE=str(tmp_path / "live.db"),
        AFN_BACKUPS_DIR=str(tmp_path / "full"),
    )
    for room in (size // 2, 20_000):
        done = subprocess.run(
            [*MANAGE, "backup_database"],
            env=environment,
            preexec_fn=lambda room=room: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert list((tmp_path / "full").iterdir()) == []


def test_an_unknown_environment_is_refused(place: Provider) -> None:
    with pytest.raises(EnvironmentProblem, match="no environment 'nope'"):
        back_up(place, "nope")


def test_a_damaged_database_is_not_backed_up_as_if_it_were_sound(place: Provider, tmp_path: Path) -> None:
    content = bytearray((tmp_path / "live.db").read_bytes())
    for page in range(8192 * 3, len(content) - 8192, 8192 * 2):
        content[page : page + 8192] = b"\xff" * 8192
    (tmp_path / "live.db").write_bytes(content)
    with pytest.raises(EnvironmentProblem):
        back_up(place)
    assert folder.stored() == []


def test_it_is_one_moment_while_others_write(tmp_path: Path, migrated_file: Path) -> None:
    """Each transaction of the writers adds to both of two tables; a backup has as many of each."""
    import shutil

    shutil.copyfile(migrated_file, tmp_path / "live.db")
    environment = clean_environment(
        SECRET_KEY="k" * 50,
        AFN_DATABASE_FILE=str(tmp_path / "live.db"),
        AFN_BACKUPS_DIR=str(tmp_path / "backups"),
        AFN_ENVIRONMENTS_DIR=str(tmp_path / "environments"),
    )
    writer = subprocess.Popen(
        [*MANAGE, "shell", "-v", "0", "-c", _WRITE],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    seen = []
    for _ in range(3):
        done = subprocess.run(
            [*MANAGE, "backup_database", "--json"], env=environment, capture_output=True, text=True
        )
        tables = json.loads(done.stdout)["tables"]
        assert tables["left_rows"] == tables["right_rows"]
        seen.append(tables["left_rows"])
    written = int(writer.communicate("\n")[0])
    assert seen[0] < seen[1] < seen[2] <= written


_WRITE = """
import select, sys
from django.db import connection, transaction
with connection.cursor() as cursor:
    for side in ("left", "right"):
        cursor.execute(f"CREATE TABLE {side}_rows (id INTEGER PRIMARY KEY, text TEXT)")
    print("ready", flush=True)
    count = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        with transaction.atomic():
            for side in ("left", "right"):
                cursor.execute(f"INSERT INTO {side}_rows (text) VALUES (%s)", ["x" * 500])
        count += 1
print(count)
"""


def test_what_redis_holds_is_part_of_it_where_that_is_wanted(
    make: Make, place: Provider, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "served").mkdir()
    with redis_server(tmp_path / "served") as server, Redis.from_url(server.url) as client:
        client.set("session", "kept")
        settings.AFN_BACKUP_REDIS_URL = server.url
        made = make()
    found = unpack(made.path, redis=tmp_path / "dump.rdb")
    content = (tmp_path / "dump.rdb").read_bytes()
    assert content.startswith(b"REDIS")
    assert b"session" in content
    assert len(content) == found.about.redis_bytes
    assert restore_redis_into(made.path, tmp_path / "again.rdb") == len(content)
    assert (tmp_path / "again.rdb").read_bytes() == content
    with pytest.raises(BackupProblem, match="such a file already"):
        restore_redis_into(made.path, tmp_path / "again.rdb")
    with pytest.raises(BackupProblem, match="AFN_BACKUP_REDIS_URL"):
        make()  # it has gone
    assert len(folder.stored()) == 1


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE vector_collections RENAME TO gone", "DROP TABLE vec_1_vectors"],
    ids=["older", "broken"],
)
def test_what_cannot_be_searched_is_backed_up_all_the_same(
    make: Make, place: Provider, tmp_path: Path, sql: str
) -> None:
    from django.db import connections

    with at(tmp_path / "live.db") as alias, connections[alias].cursor() as cursor:
        cursor.execute(sql)
    made = make()
    assert (made.probes, made.tables["prompts"]) == (0, len(TEXTS))
