"""Several writers on one database file."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from prompts import gates, trash
from prompts.errors import EvidenceMissing, NotThere, Refused, RegistryProblem
from prompts.labels import move_label, undo
from prompts.models import (
    Evaluation,
    LabelMove,
    LabelPolicy,
    Prompt,
    PromptLabel,
    PromptVersion,
    User,
)
from prompts.saving import save_prompt

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


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """What the tasks return or raise, each in a thread with a connection of its own."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return task()
        except RegistryProblem as problem:
            return problem
        finally:
            connections[ALIAS].close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def stored(prompt: Prompt) -> Prompt:
    return Prompt.objects.using(ALIAS).get(pk=prompt.pk)


def add_versions(prompt: Prompt, count: int) -> None:
    for number in range(2, count + 1):
        prompt.content = str(number)
        prompt.save(using=ALIAS, index=False)


def test_of_writers_that_know_the_same_newest_version_one_wins(prompt: Prompt) -> None:
    def write(worker: int, base: int) -> int:
        mine = stored(prompt)
        mine.content = f"{worker}:{base}"
        return save_prompt(mine, author=None, base_version=base, using=ALIAS).version

    for base in range(1, 5):
        results = at_once(*(lambda worker=worker, base=base: write(worker, base) for worker in range(4)))
        assert [one for one in results if isinstance(one, int)] == [base + 1]
        assert len([one for one in results if isinstance(one, Refused)]) == 3
    assert stored(prompt).version == 5


def test_moves_at_once_are_a_chain_in_the_log(prompt: Prompt) -> None:
    add_versions(prompt, 9)
    tasks = [lambda n=n: move_label(prompt, "production", n, actor=None, using=ALIAS) for n in range(2, 10)]
    assert not [one for one in at_once(*tasks) if isinstance(one, Exception)]
    moves = list(LabelMove.objects.using(ALIAS).order_by("id"))
    assert [one.from_version for one in moves] == [None, *(one.to_version for one in moves[:-1])]
    assert sorted(one.to_version for one in moves) == list(range(2, 10))
    assert PromptLabel.objects.using(ALIAS).get().version.version == moves[-1].to_version


def test_each_move_is_taken_back_once(prompt: Prompt) -> None:
    add_versions(prompt, 4)
    for number in (1, 2, 3, 4):
        move_label(prompt, "production", number, actor=None, using=ALIAS)
    results = at_once(*[lambda: undo(prompt, "production", actor=None, using=ALIAS)] * 3)
    assert sorted(one.version for one in results) == [1, 2, 3]
    undone = LabelMove.objects.using(ALIAS).exclude(undoes=None).values_list("undoes", flat=True)
    assert len(undone) == len(set(undone)) == 3


def test_a_gate_looks_within_the_transaction_that_moves(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence that is taken away while it is looked at: the move is by what is there, or there is none."""
    add_versions(prompt, 2)
    LabelPolicy.objects.using(ALIAS).create(
        name="production", evidence="threshold", threshold=0.5, minimum_items=1
    )
    newest = prompt.versions.using(ALIAS).first()
    Evaluation.objects.using(ALIAS).create(prompt=prompt, version=newest, item="a", score=1.0)
    inside = []
    check = gates.check

    def noted(*arguments: object, **options: object) -> object:
        inside.append(connections[ALIAS].in_atomic_block)
        return check(*arguments, **options)

    monkeypatch.setattr(gates, "check", noted)
    moved, _ = at_once(
        lambda: move_label(prompt, "production", 2, actor=None, using=ALIAS),
        lambda: Evaluation.objects.using(ALIAS).all().delete(),
    )
    assert inside == [True]
    moves = LabelMove.objects.using(ALIAS).all()
    if isinstance(moved, EvidenceMissing):
        assert not moves.exists()
    else:
        assert moves.get().evidence["n"] == 1


def test_who_moves_a_label_to_what_is_being_deleted_comes_before_or_not_at_all(prompt: Prompt) -> None:
    add_versions(prompt, 3)
    for number in (2, 3):
        moved, _ = at_once(
            lambda number=number: move_label(prompt, "production", number, actor=None, using=ALIAS),
            lambda number=number: trash.delete_version(prompt, number, actor=None, using=ALIAS),
        )
        assert isinstance(moved, NotThere) or moved.move
        assert not PromptLabel.objects.using(ALIAS).exists()
    assert stored(prompt).version == 1
