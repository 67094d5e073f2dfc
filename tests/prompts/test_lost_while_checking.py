"""A database that goes away while a form is checked: that is said, and not that a name is taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from afn_project.libsql.errors import ServerError
from prompts.models import Evaluation, Prompt
from tests.prompts.databases import opened
from tests.sqld import Sqld, company_sqld

pytestmark = pytest.mark.sqld


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sqld]:
    with company_sqld(tmp_path / "company") as running:
        yield running


def test_it_is_no_conflict_and_no_broken_transaction(
    server: Sqld, django_db_blocker: DjangoDbBlocker
) -> None:
    options = {"auth_token": server.token(), "timeout": 2.0}
    with django_db_blocker.unblock(), opened("away", server.create("away"), OPTIONS=options) as alias:
        prompt, evaluation = Prompt(name="a/b", title="T", content="C"), Evaluation(score=0.5)
        prompt._state.db = evaluation._state.db = alias
        cursor = connections[alias].cursor()
        cursor.execute("CREATE TABLE t (x)")

        def begin() -> None:
            cursor.execute("INSERT INTO t VALUES (1)")
            server.kill()

        with pytest.raises(ServerError), transaction.atomic(using=alias):  # noqa: PT012
            begin()
            prompt.validate_constraints()  # unique among those that are not in the trash
        server.start()
        with pytest.raises(ServerError), transaction.atomic(using=alias):  # noqa: PT012
            begin()
            evaluation.validate_constraints()  # nothing but values: Django swallows what is wrong
            cursor.execute("SELECT 1")
        server.start()
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (0,)
