"""Environments in a folder of the test's own, for tests inside this process."""

import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission

from afn_project.libsql import dbapi
from ops.environments import current
from ops.environments.local import Provider
from ops.environments.opening import opened
from prompts.models import ApiKey, Prompt, User
from tests.api.conftest import Api, bearer
from tests.prompts.databases import save

LINES = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture
def user(db: None) -> User:
    """Who asks the API of environments."""
    return User.objects.create_user("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def api(user: User) -> Api:
    """With every permission for environments, and a key to read and write."""
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="ops"))
    return Api(bearer(ApiKey.issue(user, "tests", ["read", "write"])[1]))


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


@pytest.fixture
def branches(local: Provider, migrated_file: Path, db: None, fake_embedder: None) -> Provider:
    """The environments `stable` and `feature`, a copy of it, both with the prompt ``p``."""
    local._folder.mkdir()
    shutil.copyfile(migrated_file, local._folder / "stable.db")
    change(local, "stable", "p", LINES, title="Title")
    local.fork("stable", "feature")
    return local


def change(
    provider: Provider, environment: str, name: str, content: str | None = None, **fields: str
) -> None:
    """Save a prompt in an environment."""
    with opened(provider, environment) as alias:
        save(alias, name, content, **fields)


def contents(provider: Provider, environment: str) -> dict[str, str]:
    """What an environment holds, by name."""
    with opened(provider, environment) as alias:
        return dict(Prompt.objects.using(alias).values_list("name", "content").order_by("name"))
