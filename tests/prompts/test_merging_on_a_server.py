"""Comparing and merging between a libSQL server's namespaces: its limits and dialect are its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from afn_project.libsql.errors import WritesBlocked
from prompts import indexing
from prompts.comparing import compare_databases
from prompts.merging import MergeConflict, merge_prompts
from prompts.models import Prompt, PromptVersion, User
from tests.sqld import Sqld, company_sqld

from .databases import opened, save

FORK, MAIN = "fork", "main"
_numbers = count(1)
pytestmark = pytest.mark.sqld


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    with company_sqld(tmp_path_factory.mktemp("company")) as running:
        yield running


@pytest.fixture
def namespaces(django_db_setup: None, server: Sqld, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """``main`` has the prompt ``p``, and ``fork`` is a copy of it; the server's name of the first."""
    options = {"auth_token": server.token(), "timeout": 15.0}
    number = next(_numbers)
    main, fork = f"main-{number}", f"fork-{number}"
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(opened(MAIN, server.create(main), OPTIONS=options))
        call_command("migrate", database=MAIN, verbosity=0)
        User.objects.using(MAIN).create(username="aoi", email="aoi@example.com")
        save(MAIN, "p", "one\ntwo\nthree\n")
        server.admin("POST", f"namespaces/{main}/fork/{fork}", {})
        stack.enter_context(opened(FORK, server.name(fork), OPTIONS=options))
        yield main
    server.delete(main)
    server.delete(fork)


def test_a_fork_is_merged_into_its_origin(server: Sqld, namespaces: str) -> None:
    save(FORK, "p", "1\ntwo\nthree\n", status="active")
    save(MAIN, "p", "one\ntwo\n3\n", tags=["main"])
    save(FORK, "new", "新しいプロンプト")
    (found,) = compare_databases(MAIN, FORK).differing
    assert (found.common, found.differing) == ((1, 1), ("content", "status", "tags"))
    server.freeze(namespaces, "Moving until 5 pm")
    with pytest.raises(WritesBlocked, match="Moving until 5 pm"):
        merge_prompts(FORK, MAIN)
    server.freeze(namespaces, None)
    result = merge_prompts(FORK, MAIN)
    assert [(one.name, one.action) for one in result.prompts] == [("new", "created"), ("p", "merged")]
    prompt = Prompt.objects.using(MAIN).get(name="p")
    assert (prompt.content, prompt.status, prompt.tags) == ("1\ntwo\n3\n", "active", ["main"])
    assert indexing.count_outdated(MAIN) == 0
    assert merge_prompts(FORK, MAIN).prompts == ()


@pytest.mark.usefixtures("namespaces")
def test_a_conflict_leaves_the_server_as_it_was() -> None:
    save(FORK, "p", "fork\n")
    save(FORK, "new", "text")
    save(MAIN, "p", "main\n")
    with pytest.raises(MergeConflict):
        merge_prompts(FORK, MAIN)
    assert Prompt.objects.using(MAIN).get().content == "main\n"
    assert PromptVersion.objects.using(MAIN).count() == 2


@pytest.mark.usefixtures("namespaces")
def test_more_than_a_server_sends_at_once_is_merged() -> None:
    """Contents of 16 MB, and metadata of 12 MB, of which a result may have 10."""
    author = User.objects.using(FORK).get()
    text = "要" * 1_000_000
    made = [Prompt(user=author, name=f"large {n}", title="T", content=f"{n}{text[1:]}") for n in range(5)]
    for prompt in made:
        prompt.metadata = {"notes": "x" * 60_000}
        prompt.save(using=FORK, index=False)
    short = [Prompt(user=author, name=f"short {n}", title="T", content="x") for n in range(200)]
    for prompt in short:
        prompt.metadata = {"notes": "x" * 60_000}
        prompt.save(using=FORK, index=False)
    result = merge_prompts(FORK, MAIN, names=[prompt.name for prompt in (*made, *short)])
    assert len(result.prompts) == 205
    hashes = PromptVersion.objects.using(MAIN).filter(prompt__name__startswith="large")
    assert set(hashes.values_list("content_hash", flat=True)) == {prompt.content_hash for prompt in made}
