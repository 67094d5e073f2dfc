"""What the scheduler finds of that no worker was told of, and what a thread does in its place."""

from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from prompts import indexing, tasks, trash
from prompts.models import Prompt, PromptVersion, User
from tests.prompts.conftest import Make
from tests.prompts.test_indexing import found, insert
from vectors import store
from vectors.errors import EmbedderError

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("broken_embedder")
def test_runs_go_on_while_the_embedder_is_out_of_reach(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    told: list[str] = []
    monkeypatch.setattr(tasks.runs, "waiting", lambda limit: ["a run"])
    monkeypatch.setattr(tasks.run_evaluation, "apply_async", lambda key, **_: told.append(key[0]))
    insert(user, "a red fox")
    with pytest.raises(EmbedderError):
        tasks.catch_up()
    assert told == ["a run"]


def test_the_index_catches_up_while_no_worker_can_be_told_of_runs(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.runs, "waiting", lambda limit: ["a run"])
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: False)
    insert(user, "a red fox", name="fox")
    tasks.catch_up()
    assert found("fox", mode="keyword") == ["fox"]


def test_what_plain_sql_wrote_is_caught_up_with_once(user: User) -> None:
    key = insert(user, "a red fox", name="fox")
    tasks.catch_up()
    assert PromptVersion.objects.get(prompt=key).content == "a red fox"
    assert indexing.count_outdated() == 0


def test_prompts_that_the_index_refuses_keep_no_other_from_its_turn(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SWEPT", 1)
    lost = insert(user, "a red fox", name="fox")
    insert(user, " \n", name="a")
    insert(user, " \n", name="b")
    Prompt.objects.filter(pk=lost).update(updated_at="2020-01-01T00:00:00Z")
    for _ in range(200):  # never to be drawn has a chance of 1 to 10 to the 35th
        tasks.catch_up()
        if store.get(indexing.get_collection(), lost):
            break
    assert found("fox", mode="keyword") == ["fox"]
    assert indexing.count_outdated() == 2


def test_one_that_is_saved_while_its_version_is_written_keeps_what_was_saved(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = insert(user, "a red fox")
    lacks = indexing._lacks_version
    seen: list[str] = []

    def slowly(prompt: Prompt, alias: str) -> bool:
        answer = lacks(prompt, alias)
        if not seen:
            other = Prompt.objects.get(pk=key)
            other.content = "a blue whale"
            other.save(index=False)
        seen.append(prompt.content)
        return answer

    monkeypatch.setattr(indexing, "_lacks_version", slowly)
    tasks.catch_up()
    assert seen == ["a red fox", "a blue whale"]
    assert Prompt.objects.get().content == "a blue whale"
    assert found("whale", mode="keyword") == [Prompt.objects.get().name]


def test_items_whose_prompt_is_gone_are_removed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("fox", "a red fox")
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "enqueue", lambda *_, **__: False)  # the queue loses it
        make("whale").delete()
    assert store.count(indexing.get_collection()) == 2
    tasks.catch_up()
    assert [item.title for item in store.iterate(indexing.get_collection())] == ["fox"]


def test_one_that_comes_back_out_of_the_trash_is_found_though_the_queue_loses_it(
    make: Make, user: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    prompt = make("fox", "a red fox")
    with django_capture_on_commit_callbacks(execute=True):
        trash.delete_prompt(prompt, actor=user)
    assert store.count(indexing.get_collection()) == 0
    trash.restore_prompt(prompt, actor=user)  # nothing is called back: nobody is told
    tasks.catch_up()
    assert found("fox", mode="keyword") == ["fox"]


def test_a_thread_closes_its_connections_when_it_has_looked_for_the_last_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    waiting = [["second"], []]

    def look(limit: int) -> list[str]:
        done.append("looked")
        return waiting.pop(0)

    def process(run_id: str) -> Any:
        done.append(run_id)

    monkeypatch.setattr(tasks.runs, "process", process)
    monkeypatch.setattr(tasks.runs, "waiting", look)
    monkeypatch.setattr(tasks, "connections", SimpleNamespace(close_all=lambda: done.append("closed")))
    tasks._run_here("first")
    assert done == ["first", "looked", "second", "looked", "closed"]
