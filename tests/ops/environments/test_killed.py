"""Forking processes that are killed (SIGKILL): there is no environment, a whole one, or one that says so."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from afn_project.libsql import dbapi
from ops.environments import base
from ops.environments.base import EnvironmentProblem
from ops.environments.local import Provider as LocalProvider
from ops.environments.local_files import size
from ops.environments.sqld import Provider as SqldProvider
from tests.processes import clean_environment
from tests.sqld import ADMIN_KEY, company_sqld

ROWS = 30_000
FILL = (
    "CREATE TABLE big (x)",
    "INSERT INTO big WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) "
    "SELECT randomblob(2000) FROM c",
)
LOCAL = """
import sys
from pathlib import Path
import django
django.setup()
from ops.environments.local import Provider
main, folder = map(Path, sys.argv[1:])
entry = {"ENGINE": "afn_project.libsql", "OPTIONS": {}}
Provider(main=main, main_name="prod", folder=folder, entry=entry, current="prod").fork("prod", "copy")
"""
SQLD = """
import sys
from pathlib import Path
import django
django.setup()
from ops.environments.sqld import Provider
url, admin, key, token, keys = sys.argv[1:]
provider = Provider(
    url=url, admin_url=admin, admin_key=key, token=token, keys=Path(keys), current="prod"
)
provider.fork("prod", "copy")
"""


@pytest.fixture(autouse=True)
def real_databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def kill_once(program: str, *arguments: str, moment: Callable[[], bool]) -> None:
    """Run a program, and kill it as soon as it is that moment."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=clean_environment(
            SECRET_KEY="k" * 50, ENVIRONMENT="development", DJANGO_SETTINGS_MODULE="afn_project.settings"
        ),
    )
    end = time.monotonic() + 60
    try:
        while not moment():
            assert process.poll() is None
            assert time.monotonic() < end
    finally:
        process.kill()
        process.wait()


def is_none_or_whole_or_unfinished(provider: base.Provider) -> None:
    """Whatever it is, it can be deleted, and the name, or another, be used again."""
    (found,) = [one for one in provider.list() if one.name != "prod"] or [None]
    if found is None or found.frozen:
        with pytest.raises(EnvironmentProblem):
            provider.database("copy")
    else:
        assert rows(provider, "copy") == ROWS
    if found is not None:
        provider.delete("copy")
    assert [one.name for one in provider.list()] == ["prod"]
    provider.fork("prod", "another")
    assert rows(provider, "another") == ROWS


def rows(provider: base.Provider, name: str) -> int:
    entry = provider.database(name)
    with closing(dbapi.connect(entry["NAME"], **entry["OPTIONS"])) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ((number,),) = connection.execute("SELECT count(*) FROM big").fetchall()
    return int(number)


@pytest.mark.parametrize("at", ["begun", "copying", "there"])
def test_while_it_copies_a_file(tmp_path: Path, at: str) -> None:
    main, folder = tmp_path / "afn.db", tmp_path / "environments"
    with closing(dbapi.connect(str(main))) as connection:
        for sql in FILL:
            connection.execute(sql)
    half = main.stat().st_size // 2

    def moment() -> bool:
        if at == "there":
            return (folder / "copy.db").exists()
        return any(size(path) > (half if at == "copying" else 0) for path in folder.glob(".new-*"))

    kill_once(LOCAL, str(main), str(folder), moment=moment)
    entry = {"ENGINE": "afn_project.libsql", "OPTIONS": {}}
    provider = LocalProvider(main=main, main_name="prod", folder=folder, entry=entry, current="prod")
    is_none_or_whole_or_unfinished(provider)
    names = {path.name for path in folder.iterdir()} - {"copy.json"}  # it says nothing without a database
    assert names == {".lock", "another.db", "another.json"}
    with closing(dbapi.connect(str(main), timeout=1)) as connection:
        connection.execute("DELETE FROM big WHERE rowid = 1")  # nobody keeps the lock


@pytest.mark.sqld
def test_while_the_server_copies(tmp_path: Path) -> None:
    with company_sqld(tmp_path / "company") as server:
        server.create("prod")
        with closing(dbapi.connect(server.name("prod"), auth_token=server.token(), timeout=20)) as connection:
            for sql in FILL:
                connection.execute(sql)
        data, keys = tmp_path / "company" / "sqld", tmp_path / "keys"
        provider = SqldProvider(
            url=server.url,
            admin_url=server.admin_url,
            admin_key=ADMIN_KEY,
            token=server.token(),
            keys=keys,
            current="prod",
        )
        provider.list()
        kill_once(
            SQLD,
            server.url,
            server.admin_url,
            ADMIN_KEY,
            server.token(),
            str(keys),
            moment=lambda: any(data.glob(".tmp*")),  # where it copies to
        )
        is_none_or_whole_or_unfinished(provider)
        assert not (data / "dbs" / "copy").exists()
        assert not any(data.glob(".tmp*"))
