"""Environments in a folder of the test's own, for tests inside this process."""

from pathlib import Path

import pytest

from afn_project.libsql import dbapi
from ops.environments import current
from ops.environments.local import Provider


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider that the API and the console find: a main environment `prod` with one table."""
    main = tmp_path / "afn.db"
    connection = dbapi.connect(str(main))
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    provider = Provider(
        main=main,
        main_name="prod",
        folder=tmp_path / "environments",
        entry={
            "ENGINE": "afn_project.libsql",
            "OPTIONS": {},
            "ATOMIC_REQUESTS": False,
            "AUTOCOMMIT": True,
            "CONN_MAX_AGE": 0,
            "CONN_HEALTH_CHECKS": False,
            "TIME_ZONE": None,
            "TEST": {},
        },
        current="prod",
        protected=["prod", "staging"],
    )
    monkeypatch.setattr(current, "get_provider", lambda: provider)
    return provider
