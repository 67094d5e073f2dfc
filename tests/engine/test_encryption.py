"""Encryption at rest."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from afn_project.libsql.dbapi import NotSupportedError

from .conftest import Connect, OpenDatabase

KEY = "0123456789-correct-horse-battery"
CANARY = "canary-plaintext-in-no-file"


@pytest.fixture
def encrypted(open_database: OpenDatabase, path: str) -> str:
    """A file encrypted with KEY, whose text is in the file itself and no longer in its log."""
    database = open_database(encryption_key=KEY)
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE canary_table (a TEXT)")
        cursor.execute("INSERT INTO canary_table VALUES (%s)", [CANARY])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("INSERT INTO canary_table VALUES (%s)", [CANARY])
    database.close()
    return path


def test_the_right_key_reads_back(open_database: OpenDatabase, encrypted: str) -> None:
    with open_database(encryption_key=KEY).cursor() as cursor:
        cursor.execute("SELECT a FROM canary_table")
        assert cursor.fetchall() == [(CANARY,), (CANARY,)]


def test_no_file_has_the_plain_text(open_database: OpenDatabase, path: str) -> None:
    database = open_database(encryption_key=KEY)
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE canary_table (a TEXT)")
        cursor.execute("INSERT INTO canary_table VALUES (%s)", [CANARY])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("INSERT INTO canary_table VALUES (%s)", [CANARY])
        files = {file.name: file.read_bytes() for file in Path(path).parent.iterdir()}
    assert {"engine.db", "engine.db-wal"} <= files.keys()
    assert all(files[name] for name in ("engine.db", "engine.db-wal"))
    for content in files.values():
        assert b"canary" not in content
        assert not content.startswith(b"SQLite format 3")


@pytest.mark.parametrize("key", [KEY[:-1] + "x", KEY.upper(), ""])
def test_a_wrong_key_or_none_reads_nothing(open_database: OpenDatabase, encrypted: str, key: str) -> None:
    before = Path(encrypted).read_bytes()
    with pytest.raises(DatabaseError, match="not a database"):
        open_database(encryption_key=key).ensure_connection()
    assert Path(encrypted).read_bytes() == before


def test_a_key_does_not_open_a_plain_file(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    database.close()
    with pytest.raises(DatabaseError, match="not a database"):
        open_database(encryption_key=KEY).ensure_connection()


def test_libsql_itself_reads_only_32_bytes_of_a_key(connect: Connect, encrypted: str) -> None:
    # The key is AES-256's own, with no derivation: what stands behind its 32nd byte adds no strength.
    assert len(KEY.encode()) == 32
    assert connect(encryption_key=KEY + " and more").execute("SELECT a FROM canary_table").fetchone() == (
        CANARY,
    )


@pytest.mark.parametrize("key", ["secret-canary", KEY[:31], KEY + "!", "鍵" * 32])
def test_it_refuses_a_key_of_another_length_and_does_not_show_it(
    open_database: OpenDatabase, path: str, key: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{len(key.encode())} bytes, expected 32") as caught:
        open_database(encryption_key=key).connect()
    assert key not in str(caught.value) + repr(caught.value)
    assert not Path(path).exists()


def test_no_copy_in_plain_text_is_written(connect: Connect, encrypted: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with pytest.raises(NotSupportedError, match="plain text"):
        connect(encryption_key=KEY).execute("VACUUM INTO ?", [str(copy)])
    assert not copy.exists()
