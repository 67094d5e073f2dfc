"""What the engine promises of itself: a light import, honest features, refusals that say why."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from django.db import OperationalError, connections

from afn_project.libsql import dbapi
from afn_project.libsql.base import DatabaseWrapper

from .conftest import OpenDatabase

PROJECT = Path(__file__).resolve().parents[2]


def run(code: str) -> str:
    """What a fresh Python prints that runs `code` in the project."""
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_project_imports_nothing_else() -> None:
    output = run(
        """
        import sys
        before = set(sys.modules)
        import afn_project
        print(sorted(set(sys.modules) - before))
        """
    )
    assert output.strip() == "['afn_project']"


def test_the_binding_is_imported_with_the_first_local_connection() -> None:
    output = run(
        """
        import sys
        from django.conf import settings
        settings.configure(DATABASES={"default": {"ENGINE": "afn_project.libsql", "NAME": ":memory:"}})
        import django
        django.setup()
        from django.db import connection
        connection.features.supports_json_field_contains, connection.ops.quote_name("t")
        print("libsql" in sys.modules)
        connection.ensure_connection()
        print("libsql" in sys.modules)
        """
    )
    assert output.split() == ["False", "True"]


def test_a_missing_binding_says_what_to_install() -> None:
    output = run(
        """
        import sys
        sys.modules["libsql"] = None  # as if it were not installed
        from afn_project.libsql import dbapi
        try:
            dbapi.connect(":memory:")
        except dbapi.OperationalError as error:
            print(error)
        """
    )
    assert "pip install libsql" in output


def test_it_is_a_sqlite_to_djangos_eyes(open_database: OpenDatabase) -> None:
    database = open_database()
    assert (database.vendor, database.display_name) == ("sqlite", "libSQL")
    assert isinstance(database, DatabaseWrapper)


def test_the_version_it_states_is_that_of_the_library(memory: dbapi.Connection) -> None:
    assert memory.execute("SELECT sqlite_version()").fetchone() == (dbapi.sqlite_version,)
    assert ".".join(map(str, dbapi.sqlite_version_info)) == dbapi.sqlite_version


def test_every_feature_it_states_is_there(memory: dbapi.Connection) -> None:
    memory.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
    assert memory.execute("INSERT INTO t (a) VALUES (1), (2) RETURNING id").fetchall() == [(1,), (2,)]
    memory.execute("ALTER TABLE t DROP COLUMN b")
    assert memory.execute("SELECT json_extract('{\"a\": [1, 2]}', '$.a[1]')").fetchone() == (2,)
    assert memory.execute("SELECT sum(id) OVER (ORDER BY id) FROM t").fetchall() == [(1,), (3,)]


def test_every_difference_is_declared_with_its_reason(open_database: OpenDatabase) -> None:
    declared = open_database().features.django_test_skips
    assert all(len(reason) > 20 and tests for reason, tests in declared.items())


def test_a_connection_tells_whether_it_is_usable(open_database: OpenDatabase) -> None:
    database = open_database()
    database.ensure_connection()
    assert database.is_usable()
    database.connection.close()
    assert not database.is_usable()


def test_cursors_take_both_of_djangos_forms_of_parameters(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT %s, '100%%', %s", [1, "%s"])
        assert cursor.fetchone() == (1, "100%", "%s")
        cursor.execute("SELECT %(b)s, %(a)s, %(b)s, '100%%'", {"a": 1, "b": 2**53 + 1})
        assert cursor.fetchone() == (2**53 + 1, 1, 2**53 + 1, "100%")
        cursor.execute("SELECT '%s', '100%'")  # no parameters: nothing is replaced
        assert cursor.fetchone() == ("%s", "100%")
        cursor.execute("CREATE TABLE t (a, b)")
        cursor.executemany("INSERT INTO t VALUES (%(b)s, %(a)s)", [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
        cursor.executemany("INSERT INTO t VALUES (%s, %s)", iter([(5, 6)]))
        cursor.execute("SELECT * FROM t")
        assert cursor.fetchall() == [(2, 1), (4, 3), (5, 6)]


def test_a_missing_named_parameter_is_an_error(alias: str) -> None:
    with connections[alias].cursor() as cursor, pytest.raises(KeyError, match="b"):
        cursor.execute("SELECT %(a)s, %(b)s", {"a": 1})


def test_a_file_that_must_exist_is_never_made(open_database: OpenDatabase, tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    database = open_database(str(file), must_exist=True)
    with pytest.raises(OperationalError, match=r"there is no .*gone\.db any more"):
        database.ensure_connection()
    assert list(tmp_path.glob("gone*")) == []
