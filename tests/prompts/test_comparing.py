"""What two databases have of each other's prompts, on two files of which one began as a copy of the other."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from prompts.comparing import UnknownPrompts, compare_databases
from prompts.database_pairs import SameDatabase, UnfinishedMigrations
from prompts.models import Prompt, PromptVersion, User
from prompts.models.prompt import hash_content

from .databases import copy_database, opened, save

LEFT, RIGHT = "left", "right"


def names(prompts: Any) -> list[str]:
    return [prompt.name for prompt in prompts]


@pytest.fixture
def pair(databases: tuple[str, str]) -> tuple[str, str]:
    """Both have ``kept`` and ``changed``; the second is a copy of the first."""
    save(LEFT, "kept", "same")
    save(LEFT, "changed", "one\n", title="Old")
    copy_database(LEFT, RIGHT)
    return databases


def test_copies_are_the_same(pair: tuple[str, str]) -> None:
    comparison = compare_databases(*pair)
    assert (comparison.is_same, comparison.same) == (True, 2)


def test_prompts_of_one_side_only_are_listed(pair: tuple[str, str]) -> None:
    save(LEFT, "mine", "x")
    save(RIGHT, "theirs", "y")
    save(RIGHT, "also theirs", "z")
    comparison = compare_databases(*pair)
    assert names(comparison.only_left) == ["mine"]
    assert names(comparison.only_right) == ["also theirs", "theirs"]
    assert (comparison.differing, comparison.same) == ((), 2)


def test_a_difference_names_versions_and_fields(pair: tuple[str, str]) -> None:
    save(LEFT, "changed", "left\n", title="New", metadata={"model": "m"})
    save(RIGHT, "changed", "right\n", status="active", tags=["a"])
    save(RIGHT, "changed", "right again\n")
    (found,) = compare_databases(*pair).differing
    assert found.differing == ("content", "title", "status", "tags", "metadata")
    assert [entry.number for entry in found.only_left] == [2]
    assert [entry.number for entry in found.only_right] == [2, 3]
    assert found.common == (1, 1)
    assert found.only_left[0].digest == hash_content("left\n")


def test_the_result_can_be_written_as_json(pair: tuple[str, str]) -> None:
    save(LEFT, "changed", "left\n")
    prompt = Prompt.objects.using(LEFT).get(name="changed")
    newest = PromptVersion.objects.using(LEFT).get(prompt=prompt.pk, version=2)
    summary = {"id": prompt.pk, "name": "changed", "title": "Old", "versions": 2}
    assert compare_databases(*pair).as_json() == {
        "left": LEFT,
        "right": RIGHT,
        "only_left": [],
        "only_right": [],
        "differing": [
            {
                "left": summary,
                "right": summary | {"versions": 1},
                "differing": ["content"],
                "only_left": [{"version": 2, "id": newest.pk, "content_hash": hash_content("left\n")}],
                "only_right": [],
                "common": {"left": 1, "right": 1},
            }
        ],
        "same": 1,
    }


def test_content_that_was_edited_and_put_back_is_a_difference_of_versions_only(pair: tuple[str, str]) -> None:
    save(LEFT, "changed", "two\n")
    save(LEFT, "changed", "one\n")
    (found,) = compare_databases(*pair).differing
    assert (found.differing, [entry.number for entry in found.only_left]) == ((), [2, 3])


def test_a_renamed_prompt_is_the_same_prompt(pair: tuple[str, str]) -> None:
    prompt = Prompt.objects.using(RIGHT).get(name="changed")
    prompt.name = "renamed"
    prompt.save(using=RIGHT)
    save(RIGHT, "changed", "another prompt under the old name")
    comparison = compare_databases(*pair)
    (found,) = comparison.differing
    assert (found.left.name, found.right.name, found.differing) == ("changed", "renamed", ("name",))
    assert names(comparison.only_right) == ["changed"]


def test_prompts_made_apart_under_one_name_have_no_common_version(pair: tuple[str, str]) -> None:
    save(LEFT, "new", "mine")
    save(RIGHT, "new", "yours")
    (found,) = compare_databases(*pair).differing
    assert (found.left.id == found.right.id, found.common, found.differing) == (False, None, ("content",))


def test_prompts_imported_on_both_sides_share_how_they_began(pair: tuple[str, str]) -> None:
    for side in pair:
        save(side, "imported", "one")
    assert compare_databases(*pair).is_same
    save(RIGHT, "imported", "two")
    (found,) = compare_databases(*pair).differing
    assert (found.common, [entry.number for entry in found.only_right]) == ((1, 1), [2])
    assert found.only_left == ()


def test_content_written_with_plain_sql_is_seen(pair: tuple[str, str]) -> None:
    Prompt.objects.using(RIGHT).filter(name="changed").update(content="by hand")
    (found,) = compare_databases(*pair).differing
    assert (found.differing, found.only_right) == (("content",), ())


@pytest.mark.parametrize("value", [True, 1.0, "1", [1], None])
def test_values_are_told_apart_as_json_does(pair: tuple[str, str], value: Any) -> None:
    save(LEFT, "kept", metadata={"a": 1})
    save(RIGHT, "kept", metadata={"a": value})
    (found,) = compare_databases(*pair).differing
    assert found.differing == ("metadata",)


def test_names_choose_prompts_on_either_side(pair: tuple[str, str]) -> None:
    save(LEFT, "mine", "x")
    save(RIGHT, "theirs", "y")
    save(RIGHT, "changed", "z")
    comparison = compare_databases(*pair, names=["mine", "changed"])
    assert names(comparison.only_left) == ["mine"]
    assert [one.left.name for one in comparison.differing] == ["changed"]
    assert (comparison.only_right, comparison.same) == ((), 0)


def test_unknown_names_are_named(pair: tuple[str, str]) -> None:
    with pytest.raises(UnknownPrompts, match=r"prompts in left or right, got '%', 'nowhere'") as caught:
        compare_databases(*pair, names=["kept", "nowhere", "%"])
    assert caught.value.names == ["%", "nowhere"]


def test_one_database_under_two_names_is_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SameDatabase, match="left and left are the same"):
        compare_databases(LEFT, LEFT)
    (tmp_path / "link.db").symlink_to(connections.databases[LEFT]["NAME"])
    with opened("other", tmp_path / "link.db"), pytest.raises(SameDatabase):
        compare_databases("other", LEFT)


def test_a_database_without_tables_is_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    with (
        opened("empty", tmp_path / "empty.db"),
        pytest.raises(UnfinishedMigrations, match=r"empty has no tables of prompts. Run `manage.py migrate`"),
    ):
        compare_databases(LEFT, "empty")


def test_an_unfinished_migration_is_named(pair: tuple[str, str]) -> None:
    call_command("migrate", "prompts", "0002", database=RIGHT, verbosity=0)
    with pytest.raises(UnfinishedMigrations, match=r"^right lacks the migrations prompts\.0003_\w+, .+ Run"):
        compare_databases(*pair)


def test_a_database_of_a_newer_code_is_refused(pair: tuple[str, str]) -> None:
    MigrationRecorder(connections[LEFT]).record_applied("prompts", "0099_future")
    with pytest.raises(UnfinishedMigrations, match=r"left has had the migrations prompts\.0099_future"):
        compare_databases(*pair)


def test_databases_are_called_what_people_call_them(pair: tuple[str, str]) -> None:
    called = {"left_name": "prod", "right_name": "feature-x"}
    told = compare_databases(*pair, **called).as_json()
    assert (told["left"], told["right"]) == ("prod", "feature-x")
    with pytest.raises(UnknownPrompts, match=r"prompts in prod or feature-x, got 'nowhere'"):
        compare_databases(*pair, names=["nowhere"], **called)
    MigrationRecorder(connections[RIGHT]).record_unapplied("prompts", "0003_fill_prompt_fields")
    with pytest.raises(UnfinishedMigrations, match=r"^feature-x lacks"):
        compare_databases(*pair, **called)


def fill(using: str, count: int) -> None:
    """Many prompts at once, with their first versions."""
    author = User.objects.using(using).get(username="aoi")
    prompts = [Prompt(user=author, name=f"p{n}", title="T", content=f"text {n}") for n in range(count)]
    Prompt.objects.using(using).bulk_create(prompts)
    PromptVersion.objects.using(using).bulk_create(
        PromptVersion(prompt=one, version=1, content=one.content, content_hash=one.content_hash)
        for one in prompts
    )


def statements(using: str) -> CaptureQueriesContext:
    return CaptureQueriesContext(connections[using])


def test_a_thousand_prompts_take_a_few_statements(databases: tuple[str, str]) -> None:
    fill(LEFT, 1_000)
    copy_database(LEFT, RIGHT)
    save(RIGHT, "p7", "changed")
    with statements(LEFT) as left, statements(RIGHT) as right:
        comparison = compare_databases(*databases)
    assert ([one.left.name for one in comparison.differing], comparison.same) == (["p7"], 999)
    assert max(len(left), len(right)) <= 8
    assert not any('"content"' in query["sql"] for query in [*left, *right])


def test_large_rows_are_read_in_pieces(databases: tuple[str, str]) -> None:
    fill(LEFT, 200)
    Prompt.objects.using(LEFT).update(metadata={"notes": "x" * 60_000})
    copy_database(LEFT, RIGHT)
    with statements(LEFT) as few:
        assert compare_databases(*databases).same == 200
    pages = [query for query in few if "json_group_array" in query["sql"]]
    assert 3 <= len(pages) <= 6  # 12 MB, of which a server sends 10 at most
