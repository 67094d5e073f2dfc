"""A server's dump becomes a file, and what is defined in it does nothing meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ops.environments.dump_loading import load_dump


def test_a_constraint_of_the_server_writes_no_file_here(db: None, tmp_path: Path) -> None:
    canary, dump, file = tmp_path / "canary", tmp_path / "dump.sql", tmp_path / "made.db"
    dump.write_text(
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
        f"CREATE TABLE trap (a CHECK (writefile('{canary}', 'x')));\nINSERT INTO trap VALUES(1);\nCOMMIT;\n"
    )
    load_dump(dump, file)
    assert not canary.exists()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT a FROM trap").fetchall() == [(1,)]
