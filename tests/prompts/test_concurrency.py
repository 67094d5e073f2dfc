"""Several writers on one database file."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from prompts.models import Prompt, PromptVersion, User

ALIAS = "file"


@pytest.fixture
def prompt(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Prompt]:
    """In a database file, which several threads can open."""
    connections.databases[ALIAS] = {**connections.databases["default"], "NAME": str(tmp_path / "afn.db")}
    with django_db_blocker.unblock():
        call_command("migrate", database=ALIAS, verbosity=0)
        author = User.objects.using(ALIAS).create(username="a", email="a@example.com")
        made = Prompt(user=author, name="p", title="P", content="0")
        made.save(using=ALIAS, index=False)
        yield made
        connections[ALIAS].close()
    del connections[ALIAS]
    del connections.databases[ALIAS]


def test_writers_at_once_get_numbers_of_their_own(prompt: Prompt) -> None:
    def write(worker: int) -> None:
        try:
            for number in range(5):
                mine = Prompt.objects.using(ALIAS).get(pk=prompt.pk)
                mine.content = f"{worker}:{number}"
                mine.save(using=ALIAS, index=False)
        finally:
            connections[ALIAS].close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    versions = PromptVersion.objects.using(ALIAS).filter(prompt=prompt.pk).order_by("version")
    assert list(versions.values_list("version", flat=True)) == list(range(1, 22))
    newest = Prompt.objects.using(ALIAS).get(pk=prompt.pk)
    assert (newest.version, newest.content) == (21, versions.last().content)
    assert [version.parent_id for version in versions[1:]] == [version.pk for version in versions[:20]]
