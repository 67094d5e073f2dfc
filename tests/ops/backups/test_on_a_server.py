"""Backups of a libSQL server: its dump becomes a file, and the file becomes a namespace again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.backups.conftest import names
from tests.processes import manage
from tests.sqld import ADMIN_KEY, Sqld, company_sqld

# Values that a way through text would spoil.
_ODD = """
from django.db import connection
from prompts.models import User
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE odd (a, b REAL, c BLOB, d TEXT)")
    for row in [
        (2**53 + 1, 0.1, b"\\x00\\xff", "x\\ny'z"),
        (-2**63, 1e300, b"", "日本語"),
        (None, 5e-324, None, "%s ? ; --"),
        (1.5, 3.0, "a text", ""),
    ]:
        cursor.execute("INSERT INTO odd VALUES (%s, %s, %s, %s)", row)
    trigger = "CREATE TRIGGER late AFTER INSERT ON odd BEGIN\\n UPDATE odd SET d = 'a;b'\\n; END"
    cursor.execute(trigger)
    cursor.execute("CREATE TABLE near (id INTEGER PRIMARY KEY, v F32_BLOB(2))")
    cursor.execute("CREATE INDEX near_v ON near (libsql_vector_idx(v))")
    cursor.execute("INSERT INTO near (v) VALUES (vector32('[1, 0]')), (vector32('[0, 1]'))")
"""
_READ = """
import json
from django.db import connection
from prompts.models import User
with connection.cursor() as cursor:
    cursor.execute("SELECT a, b, hex(c), d FROM odd")
    rows = cursor.fetchall()
    cursor.execute("SELECT id FROM vector_top_k('near_v', vector32('[1, 0]'), 1)")
    nearest = cursor.fetchall()
print(json.dumps([rows, nearest, User.objects.filter(username="late").exists()]))
"""
_LATE = "from prompts.models import User; User.objects.create(username='late', email='late@example.com')"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sqld]:
    with company_sqld(tmp_path / "sqld") as sqld:
        sqld.create("prod")
        yield sqld


def test_a_backup_of_a_server_is_proved_restored_and_kept_apart(
    server: Sqld, tmp_path: Path, db: None
) -> None:
    place = {
        "ENVIRONMENT": "development",
        "TURSO_DATABASE_URL": server.name("prod"),
        "TURSO_AUTH_TOKEN": server.token(),
        "AFN_SQLD_ADMIN_URL": server.admin_url,
        "AFN_SQLD_ADMIN_KEY": ADMIN_KEY,
        "AFN_BACKUPS_DIR": str(tmp_path / "backups"),
    }

    def run(*arguments: str) -> str:
        done = manage(*arguments, **place)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(text: str) -> str:
        return run("shell", "-v", "0", "-c", text)

    run("init_db")
    shell(_ODD)
    before = json.loads(shell(_READ))
    made = json.loads(run("backup_database", "--json"))
    assert made["probes"] > 0
    drilled = json.loads(run("drill_backup", "--json"))
    assert drilled["ok"], drilled
    shell(_LATE)
    done = json.loads(run("restore_database", made["path"], "--yes", "--json"))
    assert done["ok"]
    assert json.loads(shell(_READ)) == before
    assert before[2] is False
    listed = {one["name"]: one for one in json.loads(run("environments", "list", "--json"))}
    (kept,) = set(listed) - {"prod"}
    assert kept.startswith("before-restore-")
    assert "kept as prod was" in listed[kept]["frozen"]
    place["AFN_ENVIRONMENT"] = kept
    assert json.loads(shell(_READ))[2] is True
    del place["AFN_ENVIRONMENT"]
    # A namespace that was lost altogether.
    server.delete("prod")
    assert json.loads(run("restore_database", made["path"], "--yes", "--json"))["kept"] is None
    assert json.loads(shell(_READ)) == before
    # And without the server, as a file.
    run("restore_database", made["path"], "--into", str(tmp_path / "look.db"))
    assert names(tmp_path / "look.db")
