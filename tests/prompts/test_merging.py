"""Prompts of one database brought over to another, on two files of which one began as a copy of the other."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from prompts import indexing, merging, trash
from prompts.comparing import UnknownPrompts, compare_databases
from prompts.database_pairs import SameDatabase, UnfinishedMigrations
from prompts.merging import MergeConflict, MergeRefused, MergeResult, merge_prompts
from prompts.models import Prompt, PromptEmbedding, PromptFields, PromptVersion, User
from prompts.rendering import messages
from tests.vectors.fakes import FakeEmbedder
from vectors.search import search

from .databases import copy_database, opened, save

FORK, MAIN = "left", "right"
TABLES: tuple[type[Model], ...] = (User, Prompt, PromptVersion, PromptFields, PromptEmbedding)
LINES = "one\ntwo\nthree\nfour\n"


@pytest.fixture(autouse=True)
def both(databases: tuple[str, str]) -> None:
    """``MAIN`` has the prompt ``p``, and ``FORK`` is a copy of it."""
    save(MAIN, "p", LINES, title="Title", metadata={"model": "m", "kept": 1}, tags=["a", "b"])
    copy_database(MAIN, FORK)


def merge(**options: Any) -> MergeResult:
    return merge_prompts(FORK, MAIN, **options)


def actions(result: MergeResult) -> dict[str, str]:
    return {prompt.name: prompt.action for prompt in result.prompts}


def get(using: str, name: str = "p") -> Prompt:
    return Prompt.objects.using(using).get(name=name)


def history(using: str, name: str = "p") -> list[tuple[int, str]]:
    versions = PromptVersion.objects.using(using).filter(prompt__name=name).order_by("version")
    return list(versions.values_list("version", "content"))


def rows(using: str) -> dict[str, list[Any]]:
    """All that is stored, whatever it is."""
    return {
        model.__name__: list(model._default_manager.using(using).order_by("pk").values()) for model in TABLES
    }


def found(using: str, query: str) -> list[str]:
    hits = search(indexing.get_collection(using), query, k=5, mode="keyword", using=using).hits
    return [Prompt.objects.using(using).get(pk=hit.key).name for hit in hits]


def test_a_new_prompt_comes_with_its_whole_history() -> None:
    save(FORK, "new", "first", message="Begun", source="file.csv")
    save(FORK, "new", "second", status="active", message="Better")
    result = merge()
    assert result.as_json() == {
        "source": FORK,
        "target": MAIN,
        "prompts": [{"id": get(FORK, "new").pk, "name": "new", "action": "created", "versions": 2}],
        "unchanged": 1,
        "conflicts": [],
        "dry_run": False,
    }
    for model in (PromptVersion, PromptFields):
        there, here = (
            list(model._default_manager.using(using).filter(prompt__name="new").order_by("pk").values())
            for using in (FORK, MAIN)
        )
        assert here == there
    new, original = get(MAIN, "new"), get(FORK, "new")
    assert (new.content, new.version, new.status, new.source) == ("second", 2, "active", "file.csv")
    assert (new.pk, new.created_at, new.user_id) == (original.pk, original.created_at, original.user_id)


def test_newer_versions_are_appended_as_they_are() -> None:
    save(FORK, "p", "five\n", title="New title", message="Shorter")
    save(FORK, "p", "six\n")
    assert actions(merge()) == {"p": "fast_forwarded"}
    assert history(MAIN) == [(1, LINES), (2, "five\n"), (3, "six\n")]
    assert compare_databases(FORK, MAIN).is_same
    prompt = get(MAIN)
    assert (prompt.title, prompt.version, prompt.content) == ("New title", 3, "six\n")


def test_changes_of_both_sides_are_merged() -> None:
    save(FORK, "p", LINES.replace("one", "1"), title="Title of the fork", metadata={"model": "m", "x": 1})
    save(MAIN, "p", LINES.replace("four", "4"), status="active", metadata={"model": "n", "kept": 1})
    editor = User.objects.using(MAIN).create(username="editor", email="editor@example.com")
    result = merge(author=editor, source_name="feature-x", message="Release 5")
    assert actions(result) == {"p": "merged"}
    prompt = get(MAIN)
    assert prompt.content == "1\ntwo\nthree\n4\n"
    assert (prompt.title, prompt.status, prompt.metadata) == (
        "Title of the fork",
        "active",
        {"model": "n", "x": 1},
    )
    newest, brought, ours, first = prompt.versions.using(MAIN).all()
    assert (newest.version, newest.parent_id, newest.author_id) == (4, ours.pk, editor.pk)
    assert newest.message == "Merged version 2 of feature-x: Release 5"
    assert (brought.content, brought.parent_id) == (LINES.replace("one", "1"), first.pk)
    assert result.prompts[0].versions == 2


def test_tags_are_merged_by_member() -> None:
    save(FORK, "p", tags=["b", "fork"])
    save(MAIN, "p", tags=["a", "b", "main"])
    merge()
    assert get(MAIN).tags == ["b", "main", "fork"]


def test_fields_alone_are_brought_over_without_a_version() -> None:
    save(FORK, "p", status="archived")
    save(MAIN, "p", language="en")
    assert actions(merge()) == {"p": "merged"}
    assert (get(MAIN).status, get(MAIN).language, history(MAIN)) == ("archived", "en", [(1, LINES)])
    save(FORK, "p", status="active")
    assert actions(merge()) == {"p": "merged"}
    assert (get(MAIN).status, get(MAIN).language) == ("active", "en")


def test_a_status_that_was_taken_back_in_the_target_stays_so() -> None:
    save(FORK, "p", status="active")
    merge()
    save(MAIN, "p", status="draft")
    save(FORK, "p", title="Other")
    merge()
    assert (get(MAIN).status, get(MAIN).title) == ("draft", "Other")


CHANGES: list[Callable[[], Any]] = [
    lambda: save(FORK, "new", "text"),
    lambda: save(FORK, "p", "five\n"),
    lambda: (save(FORK, "p", LINES.replace("one", "1")), save(MAIN, "p", LINES.replace("four", "4"))),
    lambda: (save(FORK, "p", "mine", title="A"), save(MAIN, "p", "yours", title="B")),
    lambda: (save(FORK, "n", "mine", title="A"), save(MAIN, "n", "yours", title="B", tags=["t"])),
    lambda: (save(FORK, "p", status="active"), save(MAIN, "p", status="archived")),
    lambda: (save(FORK, "n", "one"), save(MAIN, "n", "one"), save(FORK, "n", "two")),
    lambda: (save(FORK, "p", "same"), save(MAIN, "p", "same")),
]


@pytest.mark.parametrize("resolve", ["ours", "theirs"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_second_merge_writes_nothing(change: Callable[[], Any], resolve: Any) -> None:
    change()
    merge(resolve=resolve)
    before = rows(MAIN)
    again = merge()
    assert (again.prompts, rows(MAIN)) == ((), before)
    assert all(version == number for number, (version, _) in enumerate(history(MAIN), start=1))


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_merged_can_be_merged_back(change: Callable[[], Any]) -> None:
    change()
    merge(resolve="ours")
    back = merge_prompts(MAIN, FORK)
    assert {prompt.action for prompt in back.prompts} <= {"fast_forwarded"}
    assert get(FORK).content == get(MAIN).content
    assert not compare_databases(FORK, MAIN).only_left
    assert merge().prompts == merge_prompts(MAIN, FORK).prompts == ()


def test_work_goes_on_after_a_merge() -> None:
    save(FORK, "p", LINES.replace("one", "1"))
    save(MAIN, "p", LINES.replace("one", "eins"))
    merge(resolve="ours")
    save(FORK, "p", LINES.replace("one", "1").replace("four", "4"))
    assert actions(merge()) == {"p": "merged"}  # the conflict was decided and does not come back
    assert get(MAIN).content == "eins\ntwo\nthree\n4\n"


def test_a_conflict_is_shown_and_nothing_is_written() -> None:
    theirs, ours = {"model": "x", "kept": 1}, {"model": "y", "kept": 1}
    save(FORK, "new", "text")
    save(FORK, "p", LINES.replace("two", "TWO"), title="Title of the fork", metadata=theirs)
    save(MAIN, "p", LINES.replace("two", "2"), title="Title of main", metadata=ours)
    before = rows(MAIN), rows(FORK)
    told = r"Nothing was written, .* conflicts: p \(content\), p \(title\), p \(metadata\.model\)\."
    with pytest.raises(MergeConflict, match=told) as caught:
        merge()
    assert (rows(MAIN), rows(FORK)) == before
    result = caught.value.result
    assert result.prompts == ()
    texts = {conflict.field: conflict.text for conflict in result.conflicts}
    assert texts["content"] == (
        "<<<<<<< ours, line 2\n2\n||||||| base, line 2\ntwo\n=======\nTWO\n>>>>>>> theirs, line 2\n"
    )
    assert "Title of main\n||||||| base, line 1\nTitle\n=======\nTitle of the fork" in texts["title"]
    assert set(texts) == {"content", "title", "metadata.model"}
    assert found(MAIN, "text") == []


def test_messages_call_the_databases_what_people_call_them() -> None:
    called = {"source_name": "feature-x", "target_name": "prod"}
    save(FORK, "p", "mine")
    save(MAIN, "p", "yours")
    with pytest.raises(MergeConflict, match=r"have prod \(ours\) or feature-x \(theirs\) win"):
        merge(**called)
    told = merge(resolve="theirs", **called).as_json()
    assert (told["source"], told["target"]) == ("feature-x", "prod")
    with pytest.raises(UnknownPrompts, match="prompts in feature-x or prod, got 'nowhere'"):
        merge(names=["p", "nowhere"], **called)


@pytest.mark.parametrize(("resolve", "number", "title"), [("ours", "2", "B"), ("theirs", "TWO", "A")])
def test_conflicts_are_decided_for_a_side_and_all_else_is_merged(
    resolve: Any, number: str, title: str
) -> None:
    save(FORK, "p", LINES.replace("two", "TWO").replace("four", "FOUR"), title="A")
    save(MAIN, "p", LINES.replace("two", "2"), title="B", status="active")
    merge(resolve=resolve)
    prompt = get(MAIN)
    assert (prompt.content, prompt.title) == (f"one\n{number}\nthree\nFOUR\n", title)
    assert prompt.status == "active"


def test_prompts_made_apart_under_one_name_conflict_unless_they_are_equal() -> None:
    save(FORK, "n", "mine\n")
    save(MAIN, "n", "yours\n")
    with pytest.raises(MergeConflict, match=r"n \(content\)"):
        merge()
    ours = get(MAIN, "n")
    merge(resolve="theirs")
    assert (get(MAIN, "n").pk, get(MAIN, "n").content) == (ours.pk, "mine\n")
    save(FORK, "equal", "text\n")
    save(MAIN, "equal", "text\n")
    assert merge().prompts == ()
    save(FORK, "equal", "text\nand more\n")
    assert actions(merge()) == {"equal": "fast_forwarded"}


def test_names_choose_what_is_merged() -> None:
    for name in ("chosen", "left out"):
        save(FORK, name, "text")
    assert actions(merge(names=["chosen"])) == {"chosen": "created"}
    assert not Prompt.objects.using(MAIN).filter(name="left out").exists()


@pytest.mark.parametrize("name", ["nowhere", "main only"])
def test_names_that_the_source_has_not_are_refused(name: str) -> None:
    save(MAIN, "main only", "x")
    save(FORK, "new", "y")
    with pytest.raises(UnknownPrompts, match=f"got '{name}'"):
        merge(names=["new", name])
    assert not Prompt.objects.using(MAIN).filter(name="new").exists()


def rename(using: str, old: str, new: str) -> None:
    prompt = get(using, old)
    prompt.name = new
    prompt.save(using=using)


def test_a_renamed_prompt_is_renamed() -> None:
    rename(FORK, "p", "q")
    assert actions(merge(names=["p"])) == {"q": "fast_forwarded"}
    assert list(Prompt.objects.using(MAIN).values_list("name", flat=True)) == ["q"]


def test_names_may_be_swapped() -> None:
    save(MAIN, "q", "the other")
    copy_database(MAIN, FORK)
    rename(FORK, "p", "between")
    rename(FORK, "q", "p")
    rename(FORK, "between", "q")
    merge()
    assert (get(MAIN, "q").content, get(MAIN, "p").content) == (LINES, "the other")


def test_a_name_that_another_prompt_has_is_a_conflict_that_no_side_wins() -> None:
    rename(FORK, "p", "taken")
    save(MAIN, "taken", "another")
    for resolve in (None, "theirs"):
        with pytest.raises(MergeConflict) as caught:
            merge(resolve=resolve, names=["p"])
        (conflict,) = caught.value.result.conflicts
        assert conflict.text == "The name 'taken' is another prompt's in right.\n"


def test_what_is_too_much_together_is_a_conflict() -> None:
    save(FORK, "p", tags=[f"fork {n}" for n in range(30)])
    save(MAIN, "p", tags=[f"main {n}" for n in range(30)])
    with pytest.raises(MergeConflict) as caught:
        merge(resolve="ours")
    assert "Expected at most 50 tags, got 60." in caught.value.result.conflicts[0].text


def test_nothing_is_deleted() -> None:
    Prompt.objects.using(FORK).all().delete()
    before = rows(MAIN)
    assert merge().prompts == ()
    assert rows(MAIN) == before


def test_a_dry_run_tells_and_writes_nothing() -> None:
    save(FORK, "new", "text")
    before = rows(MAIN)
    assert actions(merge(dry_run=True)) == {"new": "created"}
    save(FORK, "p", "mine")
    save(MAIN, "p", "yours")
    before = rows(MAIN)
    result = merge(dry_run=True)
    assert (result.prompts, [one.field for one in result.conflicts]) == ((), ["content"])
    assert rows(MAIN) == before


@pytest.mark.parametrize(
    "known",
    [{"username": "other", "email": "Bo@Example.com"}, {"username": "bo", "email": "other@example.com"}],
)
def test_users_are_found_again_by_address_or_name(known: dict[str, str]) -> None:
    bo = User.objects.using(FORK).create(username="bo", email="bo@example.com")
    here = User.objects.using(MAIN).create(**known)
    Prompt(user=bo, name="new", title="T", content="text").save(using=FORK)
    merge()
    assert get(MAIN, "new").user_id == here.pk
    assert PromptVersion.objects.using(MAIN).get(prompt__name="new").author_id == here.pk


def test_an_unknown_owner_needs_somebody_in_his_place() -> None:
    bo = User.objects.using(FORK).create(username="bo", email="bo@example.com")
    Prompt(user=bo, name="new", title="T", content="text").save(using=FORK)
    for nobody in (None, bo):
        with pytest.raises(MergeRefused, match="right does not know the user who owns 'new'"):
            merge(author=nobody)
    merge(author=User.objects.using(FORK).get(username="aoi"))
    assert get(MAIN, "new").user.username == "aoi"


def test_content_of_plain_sql_is_refused_until_it_is_a_version() -> None:
    Prompt.objects.using(FORK).filter(name="p").update(content="by hand")
    with pytest.raises(MergeRefused, match="The content of 'p' was written with plain SQL"):
        merge()
    indexing.add_missing_versions(FORK)
    merge()
    assert get(MAIN).content == "by hand"


def test_fields_of_plain_sql_are_merged() -> None:
    Prompt.objects.using(FORK).filter(name="p").update(title="By hand")
    Prompt.objects.using(MAIN).filter(name="p").update(status="active")
    merge()
    assert (get(MAIN).title, get(MAIN).status) == ("By hand", "active")
    assert merge().prompts == ()


def test_ids_that_another_prompt_uses_are_given_anew() -> None:
    save(FORK, "n", "mine\n")
    save(MAIN, "n", "yours\n")
    merge(resolve="theirs")  # the versions of one are now part of the other
    rename(MAIN, "n", "mine alone")
    assert actions(merge(names=["n"])) == {"n": "created"}
    assert (history(MAIN, "n"), merge().prompts) == ([(1, "mine\n")], ())


def test_versions_under_ids_given_anew_are_known_again() -> None:
    save(FORK, "n", "mine\n")
    save(MAIN, "n", "yours\n")
    merge(resolve="theirs")
    rename(MAIN, "n", "renamed")
    save(MAIN, "n", "a third\n")
    merge(resolve="ours")
    assert [content for _, content in history(MAIN, "n")] == ["a third\n", "mine\n", "a third\n"]
    assert merge().prompts == ()
    assert actions(merge_prompts(MAIN, FORK, names=["n"])) == {"n": "fast_forwarded"}


def test_the_target_finds_what_was_merged() -> None:
    save(FORK, "new", "a green parrot")
    save(FORK, "p", LINES + "a red fox\n")
    save(MAIN, "p", "a blue whale\n" + LINES)
    merge()
    assert (found(MAIN, "parrot"), found(MAIN, "fox"), found(MAIN, "whale")) == (["new"], ["p"], ["p"])
    assert indexing.count_outdated(MAIN) == 0


def test_no_other_database_is_touched() -> None:
    save(FORK, "new", "a green parrot")
    before = rows(FORK)
    with CaptureQueriesContext(connections["default"]) as queries:
        merge()
    assert (len(queries), rows(FORK)) == (0, before)


def test_embedding_happens_after_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "new", "text")
    embed, inside = FakeEmbedder.embed, []
    monkeypatch.setattr(
        FakeEmbedder,
        "embed",
        lambda self, texts: inside.append(connections[MAIN].in_atomic_block) or embed(self, texts),
    )
    merge()
    assert inside == [False]


@pytest.mark.usefixtures("broken_embedder")
def test_a_merge_counts_while_the_embedder_fails(caplog: pytest.LogCaptureFixture) -> None:
    save(FORK, "new", "text")
    merge()
    assert get(MAIN, "new").content == "text"
    assert "embedder fake" in caplog.text


def test_a_failure_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "new", "text")
    save(FORK, "p", "five\n")
    before = rows(MAIN)
    with connections[MAIN].cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON prompt_fields "
            "BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        )
    with pytest.raises(OperationalError, match="disk on fire"):
        merge()
    assert rows(MAIN) == before


def test_a_change_during_the_merge_is_merged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "p", LINES.replace("one", "1"))
    edit_in_thread = iter([lambda: save(MAIN, "p", LINES.replace("four", "4"))])
    find = merging.find_user

    def late(using: str, user: User | None) -> str | None:
        """All is read by then, and nothing written."""
        for edit in edit_in_thread:
            run_in_thread(edit)
        return find(using, user)

    monkeypatch.setattr(merging, "find_user", late)
    assert actions(merge()) == {"p": "merged"}
    assert get(MAIN).content == "1\ntwo\nthree\n4\n"


def run_in_thread(work: Callable[[], Any]) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connections[MAIN].close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_what_is_deleted_in_the_source_meanwhile_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "new", "text")
    save(FORK, "other", "text")
    read = merging.read_versions

    def late(using: str, ids: Any) -> Any:
        Prompt.objects.using(FORK).filter(name="new").delete()
        return read(using, ids)

    monkeypatch.setattr(merging, "read_versions", late)
    assert actions(merge()) == {"other": "created"}


def test_a_target_that_never_rests_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    save(FORK, "p", LINES.replace("one", "1"))
    find = merging.find_user

    def late(using: str, user: User | None) -> str | None:
        save(MAIN, "p", get(MAIN).content + "and more\n")
        return find(using, user)

    monkeypatch.setattr(merging, "find_user", late)
    with pytest.raises(MergeRefused, match="right was changed 5 times"):
        merge()
    assert "1" not in get(MAIN).content


def test_writers_wait_for_a_merge_and_lose_nothing() -> None:
    save(FORK, "p", "0\n" + LINES)
    failures: list[Exception] = []

    def edit() -> None:
        try:
            for number in range(5):
                prompt = get(MAIN)
                prompt.metadata = {"count": number}
                prompt.save(using=MAIN, index=False, update_fields=["metadata"])
        except Exception as error:  # noqa: BLE001 - told by the test itself
            failures.append(error)
        finally:
            connections[MAIN].close()

    thread = threading.Thread(target=edit)
    thread.start()
    merge(resolve="theirs")
    thread.join()
    assert failures == []
    assert (get(MAIN).content, get(MAIN).metadata) == ("0\n" + LINES, {"count": 4})


def test_a_thousand_prompts_take_few_statements() -> None:
    author = User.objects.using(FORK).get(username="aoi")
    made = [Prompt(user=author, name=f"p{n}", title="T", content=f"text {n}") for n in range(1_000)]
    Prompt.objects.using(FORK).bulk_create(made)
    PromptVersion.objects.using(FORK).bulk_create(
        PromptVersion(prompt=one, version=1, content=one.content, content_hash=one.content_hash)
        for one in made
    )
    with CaptureQueriesContext(connections[FORK]) as theirs, CaptureQueriesContext(connections[MAIN]) as ours:
        result = merge()
    assert len(result.prompts) == 1_000
    told = [query["sql"] for query in ours]
    assert len(theirs) <= 20
    assert told.index("COMMIT") <= 30  # what follows is the search index
    assert indexing.count_outdated(MAIN) == 0
    Prompt.objects.using(FORK).update(title="New")
    with CaptureQueriesContext(connections[MAIN]) as ours:
        assert len(merge(names=[one.name for one in made], resolve="theirs").prompts) == 1_000
    told = [query["sql"] for query in ours]
    assert len([one for one in told[: told.index("COMMIT")] if "UPDATE" in one]) <= 3


def test_a_frozen_target_says_why() -> None:
    save(FORK, "new", "text")
    file = Path(connections[MAIN].settings_dict["NAME"])
    file.with_name(f"{file.name}.frozen").write_text("Moving until 5 pm")
    assert actions(merge(dry_run=True)) == {"new": "created"}
    with pytest.raises(OperationalError, match="Moving until 5 pm"):
        merge()


def test_what_cannot_be_merged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SameDatabase):
        merge_prompts(MAIN, MAIN)
    with opened("empty", tmp_path / "empty.db"), pytest.raises(UnfinishedMigrations):
        merge_prompts(MAIN, "empty")
    with pytest.raises(MergeRefused, match="resolve: expected ours, theirs or nothing, got 'mine'"):
        merge(resolve="mine")


def sql(using: str, statement: str, *values: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("tags", ['{"a": 1}', '"text"', '[{"a": 1}]', "5", '[["x"]]'])
@pytest.mark.parametrize("using", [FORK, MAIN])
def test_tags_that_are_no_texts_are_merged_as_any_value(tags: str, using: str) -> None:
    sql(using, "UPDATE prompts SET tags = %s", tags)
    save(MAIN if using == FORK else FORK, "p", status="active")
    merge()
    assert (get(MAIN).tags, get(MAIN).status) == (json.loads(tags), "active")


@pytest.mark.parametrize("values", ["metadata = 'null'", "tags = 'null'", """metadata = '{"a": 1e999}'"""])
def test_what_plain_sql_alone_can_write_is_refused_in_words(values: str) -> None:
    sql(FORK, f"UPDATE prompts SET {values}")
    before = rows(MAIN)
    with pytest.raises(MergeRefused, match=r"right does not take what is merged: .* Nothing was written"):
        merge()
    assert rows(MAIN) == before


def test_fields_of_plain_sql_are_brought_over_once() -> None:
    sql(FORK, "UPDATE prompts SET status = 'active'")
    merge()
    save(MAIN, "p", status="draft")
    assert merge().prompts == ()
    assert get(MAIN).status == "draft"
    save(FORK, "p")  # now they are on record
    assert merge().prompts == ()
    save(FORK, "p", language="en")
    merge()
    assert (get(MAIN).status, get(MAIN).language) == ("draft", "en")


def test_a_conflict_with_fields_of_plain_sql_is_decided_once() -> None:
    sql(FORK, "UPDATE prompts SET title = 'Theirs'")
    save(MAIN, "p", title="Ours")
    merge(resolve="ours")
    assert merge().prompts == ()
    assert get(MAIN).title == "Ours"


def test_a_name_may_be_the_id_of_another_prompt() -> None:
    save(MAIN, get(MAIN).pk, "text")
    rename(FORK, "p", "q")
    assert actions(merge()) == {"q": "fast_forwarded"}


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_text_that_no_database_holds_is_refused(text: str) -> None:
    with pytest.raises(MergeRefused, match="message: Expected"):
        merge(message=text)
    with pytest.raises(UnknownPrompts, match="names: expected names of prompts in left or right, got"):
        merge(names=["p", text])


def test_a_user_deleted_during_the_merge_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    bo = User.objects.using(FORK).create(username="bo", email="bo@example.com")
    User.objects.using(MAIN).create(username="bo", email="bo@example.com")
    Prompt(user=bo, name="new", title="T", content="text").save(using=FORK)
    find = merging.find_taken

    def late(using: str, ids: Any) -> Any:
        User.objects.using(MAIN).filter(username="bo").delete()
        return find(using, ids)

    monkeypatch.setattr(merging, "find_taken", late)
    merge(author=User.objects.using(MAIN).get(username="aoi"))
    assert get(MAIN, "new").user.username == "aoi"


def test_an_author_is_found_by_an_address_beyond_ascii() -> None:
    User.objects.using(MAIN).create(username="other", email="ÉMIL@Example.com")
    bo = User.objects.using(FORK).create(username="bo", email="ÉMIL@example.com")
    Prompt(user=bo, name="new", title="T", content="text").save(using=FORK)
    save(FORK, "p", LINES.replace("one", "1"))
    save(MAIN, "p", LINES.replace("four", "4"))
    merge(author=bo)
    assert get(MAIN).versions.using(MAIN).first().author.username == "other"


def test_a_dry_run_refuses_what_a_merge_would() -> None:
    bo = User.objects.using(FORK).create(username="bo", email="bo@example.com")
    Prompt(user=bo, name="new", title="T", content="text").save(using=FORK)
    with pytest.raises(MergeRefused, match="right does not know the user who owns 'new'"):
        merge(dry_run=True)


def test_numbers_have_no_gaps_where_two_versions_are_one_in_the_target(tmp_path: Path) -> None:
    with opened("third", tmp_path / "third.db") as third:
        copy_database(MAIN, third)
        save(MAIN, "n", "same\n")
        save(third, "n", "third\n")
        merge_prompts(MAIN, third, names=["n"], resolve="theirs")
        save(FORK, "n", "same\n")
        save(FORK, "n", "fork\n")
        merge_prompts(third, FORK, names=["n"], resolve="ours")
    assert history(FORK, "n") == [(1, "same\n"), (2, "fork\n"), (3, "third\n"), (4, "same\n"), (5, "fork\n")]
    merge()
    assert history(MAIN, "n") == [(1, "same\n"), (2, "fork\n"), (3, "third\n"), (4, "fork\n")]


def chat(*texts: str) -> str:
    return messages.dump([{"role": "user", "content": text} for text in texts])


def test_chats_are_merged_by_messages() -> None:
    save(MAIN, "c", chat("a\nb", "c", "d"), type="chat")
    copy_database(MAIN, FORK)
    save(FORK, "c", chat("A\nb", "c", "d"))
    save(MAIN, "c", chat("a\nb", "c", "D", "e"))
    assert actions(merge(names=["c"])) == {"c": "merged"}
    assert get(MAIN, "c").content == chat("A\nb", "c", "D", "e")
    assert get(MAIN, "c").versions.using(MAIN).first().content == get(MAIN, "c").content


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0c", "\x1e", "\r", "\n", "\r\n"])
def test_characters_that_end_lines_elsewhere_end_no_message(odd: str) -> None:
    save(MAIN, "c", chat(f"a{odd}b", "c", "d"), type="chat")
    copy_database(MAIN, FORK)
    save(FORK, "c", chat(f"A{odd}b", "c", "d"))
    save(MAIN, "c", chat(f"a{odd}b", "c", "D"))
    merge(names=["c"])
    assert get(MAIN, "c").content == chat(f"A{odd}b", "c", "D")


def test_a_message_that_both_changed_is_a_conflict() -> None:
    save(MAIN, "c", chat("a", "b"), type="chat")
    copy_database(MAIN, FORK)
    save(FORK, "c", chat("a", "theirs"))
    save(MAIN, "c", chat("a", "ours"))
    with pytest.raises(MergeConflict, match=r"c \(content\)") as caught:
        merge(names=["c"])
    assert '{"role": "user", "content": "theirs"}' in caught.value.result.conflicts[0].text
    merge(names=["c"], resolve="theirs")
    assert get(MAIN, "c").content == chat("a", "theirs")


def test_a_chat_that_would_be_too_long_is_a_conflict_that_no_side_wins() -> None:
    base = [str(number) for number in range(400)]
    save(MAIN, "c", chat(*base), type="chat")
    copy_database(MAIN, FORK)
    save(FORK, "c", chat(*base, *(f"theirs {n}" for n in range(60))))
    save(MAIN, "c", chat(*(f"ours {n}" for n in range(60)), *base))
    before = rows(MAIN)
    for resolve in (None, "ours", "theirs"):
        with pytest.raises(MergeConflict, match=r"c \(content\)") as caught:
            merge(names=["c"], resolve=resolve)
        assert (
            "not be valid: content: expected 1 to 500 messages, got 520"
            in caught.value.result.conflicts[0].text
        )
    assert rows(MAIN) == before


def test_config_and_variables_are_merged_by_member() -> None:
    variables = {"a": {"type": "number"}}
    save(MAIN, "v", "{{a}}\n-\n-\n{{b}}\n", config={"model": "m", "t": 0.2, "kept": 1}, variables=variables)
    copy_database(MAIN, FORK)
    save(FORK, "v", config={"model": "n", "t": 0.2, "new": [1]}, variables={"a": {"type": "list"}})
    mine = variables | {"b": {"type": "number"}}
    save(MAIN, "v", "{{a}}\n-\n-\n{{b}}!\n", config={"model": "m", "t": 0.9, "kept": 1}, variables=mine)
    merge(names=["v"])
    merged = get(MAIN, "v")
    assert merged.config == {"model": "n", "t": 0.9, "new": [1]}
    assert merged.variables == {"a": {"type": "list"}, "b": {"type": "number"}}
    assert merged.content == "{{a}}\n-\n-\n{{b}}!\n"


def test_conflicts_of_config_are_told_by_member() -> None:
    save(FORK, "p", config={"model": "x"})
    save(MAIN, "p", config={"model": "y"})
    with pytest.raises(MergeConflict, match=r"p \(config\.model\)"):
        merge()
    merge(resolve="ours")
    assert get(MAIN).config == {"model": "y"}
    assert merge().prompts == ()


@pytest.mark.parametrize("resolve", [None, "ours", "theirs"])
def test_a_format_comes_with_the_content_that_is_written_in_it(resolve: Any) -> None:
    save(FORK, "p", LINES.replace("one", "{% if a %}1{% endif %}"), template_format="jinja2")
    save(MAIN, "p", LINES.replace("four", "{{a b}}"))
    if resolve is None:
        with pytest.raises(MergeConflict, match=r"p \(template_format\)"):
            merge()
        return
    merge(resolve=resolve)
    side = FORK if resolve == "theirs" else MAIN
    assert get(MAIN).payload == get(side).payload
    assert get(MAIN).template_format == ("jinja2" if resolve == "theirs" else "simple")


def test_a_format_that_one_side_changed_is_taken() -> None:
    save(FORK, "p", template_format="jinja2")
    save(MAIN, "p", status="active")
    merge()
    assert (get(MAIN).template_format, get(MAIN).status) == ("jinja2", "active")


def test_what_is_no_template_together_is_a_conflict() -> None:
    save(MAIN, "c", chat("a", "b", "c"), type="chat")
    copy_database(MAIN, FORK)
    placeholder = messages.dump([{"type": "placeholder", "name": "x"}, *messages.parse(chat("a", "b", "c"))])
    save(FORK, "c", placeholder)
    save(MAIN, "c", chat("a", "b", "c {{x}}"))
    with pytest.raises(MergeConflict, match=r"c \(content\)") as caught:
        merge(names=["c"])
    assert "x as both" in caught.value.result.conflicts[0].text


def test_prompts_of_one_name_and_two_types_are_a_conflict_that_no_side_wins() -> None:
    save(FORK, "n", chat("a"), type="chat")
    save(MAIN, "n", "text")
    for resolve in (None, "theirs"):
        with pytest.raises(MergeConflict, match=r"n \(type\)") as caught:
            merge(names=["n"], resolve=resolve)
        assert caught.value.result.conflicts[0].text == "It is a text there and a chat here.\n"


def test_a_chat_that_plain_sql_broke_is_a_conflict() -> None:
    save(MAIN, "c", chat("a", "b"), type="chat")
    copy_database(MAIN, FORK)
    sql(FORK, "UPDATE prompts SET content = 'no chat' WHERE name = 'c'")
    indexing.add_missing_versions(FORK)
    save(MAIN, "c", chat("a", "B"))
    with pytest.raises(MergeConflict, match=r"c \(content\)"):
        merge(names=["c"])


def trash_version(using: str, number: int) -> None:
    trash.delete_version(get(using), number, actor=None, using=using)


def test_what_the_source_deleted_stays_in_the_target() -> None:
    save(FORK, "p", "two\n")
    merge()
    trash_version(FORK, 2)
    assert (merge().prompts, get(MAIN).content) == ((), "two\n")


def test_what_the_target_deleted_does_not_come_back() -> None:
    save(FORK, "p", "two\n")
    merge()
    trash_version(MAIN, 2)
    assert (merge().prompts, get(MAIN).content) == ((), LINES)
    save(FORK, "q", "x")
    merge()
    assert (get(MAIN).version, get(MAIN).content) == (1, LINES)


def test_versions_come_over_in_the_trash_as_they_are() -> None:
    for content in ("two\n", "three\n"):
        save(FORK, "p", content)
    trash_version(FORK, 2)
    merge()
    versions = PromptVersion.objects.using(MAIN).filter(prompt__name="p").order_by("version")
    assert [(one.version, one.deleted_at is None) for one in versions] == [(1, True), (2, False), (3, True)]
    assert (get(MAIN).version, get(MAIN).content) == (3, "three\n")
    assert merge().prompts == ()
    # The number of a trashed version is not given again either.
    save(MAIN, "p", "four\n")
    assert get(MAIN).version == 4


def test_a_prompt_in_the_trash_of_the_source_is_left_there() -> None:
    save(FORK, "new", "x")
    trash.delete_prompt(get(FORK, "new"), actor=None, using=FORK)
    assert merge().prompts == ()
    with pytest.raises(UnknownPrompts):
        merge(names=["new"])


def test_a_prompt_in_the_trash_of_the_target_is_a_conflict() -> None:
    trash.delete_prompt(get(MAIN), actor=None, using=MAIN)
    save(FORK, "p", "more\n")
    for resolve in (None, "ours", "theirs"):
        with pytest.raises(MergeConflict, match=r"p \(trash\)") as caught:
            merge(resolve=resolve)
        assert "restore or purge it there first" in caught.value.result.conflicts[0].text
    trash.restore_prompt(Prompt.everything.using(MAIN).get(name="p"), actor=None, using=MAIN)
    merge()
    assert get(MAIN).content == "more\n"
