"""Each state of a prompt's fields is kept, so that databases that were copied can tell who changed what."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from prompts.models import Prompt, PromptFields
from prompts.models.fields import FIELDS, hash_fields

from .databases import copy_database, save

ALIAS = "left"
pytestmark = pytest.mark.usefixtures("databases")


def states(using: str = ALIAS) -> list[tuple[int, dict[str, Any]]]:
    return list(PromptFields.objects.using(using).order_by("number").values_list("number", "values"))


def test_each_change_is_kept() -> None:
    save(ALIAS, "p", "one", title="T")
    save(ALIAS, "p", status="active", tags=["a"], metadata={"k": "値"})
    first = {"name": "p", "title": "T", "status": "draft", "language": "", "tags": [], "metadata": {}}
    second = first | {"status": "active", "tags": ["a"], "metadata": {"k": "値"}}
    assert states() == [(1, first), (2, second)]
    hashes = PromptFields.objects.using(ALIAS).order_by("number").values_list("values_hash", flat=True)
    assert list(hashes) == [hash_fields(first), hash_fields(second)]


def test_what_changes_nothing_is_not() -> None:
    save(ALIAS, "p", "one")
    save(ALIAS, "p", "two")
    save(ALIAS, "p", "two")
    assert [number for number, _ in states()] == [1]


def test_what_was_put_back_is_a_state_of_its_own() -> None:
    for status in ("draft", "active", "draft"):
        save(ALIAS, "p", "one", status=status)
    assert [values["status"] for _, values in states()] == ["draft", "active", "draft"]


def test_what_is_stored_counts_not_what_the_object_says() -> None:
    prompt = save(ALIAS, "p", "one", title="T")
    prompt.title, prompt.status = "not saved", "active"
    prompt.save(using=ALIAS, update_fields=["status"])
    assert [(values["title"], values["status"]) for _, values in states()] == [
        ("T", "draft"),
        ("T", "active"),
    ]


def test_a_rollback_takes_the_state_along() -> None:
    prompt = save(ALIAS, "p", "one")
    with transaction.atomic(using=ALIAS):
        prompt.status = "active"
        prompt.save(using=ALIAS)
        transaction.set_rollback(True, using=ALIAS)
    assert len(states()) == 1


def test_states_go_with_their_prompt() -> None:
    save(ALIAS, "p", "one").delete(using=ALIAS)
    assert states() == []
    save(ALIAS, "q", "one")
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("DELETE FROM prompts")
    assert states() == []


def test_copies_that_are_migrated_apart_share_their_first_state() -> None:
    call_command("migrate", "prompts", "0001", database=ALIAS, verbosity=0)
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO prompts(id, user_id, title, content) SELECT 'kept', id, 'T', 'x' FROM users"
        )
        cursor.execute("INSERT INTO prompts(id, user_id, title, content) SELECT 'p', id, 'T', 'y' FROM users")
    copy_database(ALIAS, "right")
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("UPDATE prompts SET title = 'Changed' WHERE id = 'p'")
    for using in (ALIAS, "right"):
        call_command("migrate", "prompts", database=using, verbosity=0)
    here, there = (
        dict(PromptFields.objects.using(using).values_list("prompt_id", "pk")) for using in (ALIAS, "right")
    )
    assert (here["kept"] == there["kept"], here["p"] == there["p"]) == (True, False)
    record, prompt = (
        PromptFields.objects.using(ALIAS).get(prompt="p"),
        Prompt.objects.using(ALIAS).get(pk="p"),
    )
    assert record.values_hash == hash_fields({name: getattr(prompt, name) for name in FIELDS})
