"""The migrations run both ways, over data and over the view, on a database file of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from prompts.database import create_view
from prompts.models import User
from vectors import store
from vectors.models import Collection

ALIAS = "file"


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    connections.databases[ALIAS] = {**connections.databases["default"], "NAME": str(tmp_path / "afn.db")}
    with django_db_blocker.unblock():
        yield connections[ALIAS]
        connections[ALIAS].close()
    del connections[ALIAS]
    del connections.databases[ALIAS]


def migrate(*target: str) -> None:
    call_command("migrate", *target, database=ALIAS, verbosity=0)


def schema(database: Any) -> set[tuple[str, str, str]]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'vec!_%' ESCAPE '!'"
        )
        return set(cursor.fetchall())


def fill(database: Any) -> None:
    collection = store.create_collection("prompts", using=ALIAS)
    create_view(collection, ALIAS)
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO users(id, email) VALUES ('u', 'a@example.com')")
        cursor.execute("INSERT INTO prompts(id, user_id, title, content) VALUES ('p', 'u', 'T', 'C')")
        cursor.execute(
            "INSERT INTO prompt_versions(id, prompt_id, version, content, content_hash) "
            "VALUES ('v', 'p', 1, 'C', 'h')"
        )
        cursor.execute("INSERT INTO evaluations(prompt_id, score, metrics) VALUES ('p', 0.5, '{}')")
    store.upsert(collection, [store.Item("p", "C")], using=ALIAS)
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO prompt_embedding_records(prompt_id, version_id, collection_id, model, content_hash) "
            "VALUES ('p', 'v', %s, 'words', 'h')",
            [collection.pk],
        )
        cursor.execute("SELECT prompt_id FROM prompt_embeddings")
        assert cursor.fetchall() == [("p",)]


def test_they_run_forwards_backwards_and_forwards_again(database: Any) -> None:
    migrate()
    before = schema(database)
    assert ("view", "prompt_embeddings") in {row[:2] for row in before}
    migrate("prompts", "zero")
    left = {name for _, name, _ in schema(database)}
    assert not left & {"users", "prompts", "prompt_versions", "evaluations", "prompt_embeddings"}
    migrate()
    assert schema(database) == before


def test_they_run_over_data_and_the_view(database: Any) -> None:
    migrate()
    fill(database)
    migrate()  # nothing to do: the view is made again over the same collection
    with database.cursor() as cursor:
        cursor.execute("SELECT prompt_id, model FROM prompt_embeddings")
        assert cursor.fetchall() == [("p", "words")]
    migrate("prompts", "zero")
    migrate()
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM prompts")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM prompt_embeddings")
        assert cursor.fetchone() == (0,)


def test_going_back_a_step_and_forwards_again_keeps_what_is_on_record(database: Any) -> None:
    migrate()
    fill(database)
    migrate("prompts", "0002")
    migrate()
    migrate("prompts", "0002")
    migrate()  # the prompt has its first state on record by now
    with database.cursor() as cursor:
        cursor.execute("SELECT prompt_id, number FROM prompt_fields")
        assert cursor.fetchall() == [("p", 1)]


def test_the_vectors_can_go_too(database: Any) -> None:
    migrate()
    fill(database)
    migrate("vectors", "zero")
    assert not {name for _, name, _ in schema(database)} & {"vector_collections", "prompts"}
    migrate()
    assert not Collection.objects.using(ALIAS).exists()


def test_moments_of_old_rows_compare_with_new_ones(database: Any) -> None:
    migrate()
    migrate("prompts", "0012")
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO users(id, email) VALUES ('u', 'a@example.com'), ('w', 'b@example.com')")
        cursor.execute("UPDATE users SET created_at = '2026-11-26 10:39:42.843' WHERE id = 'u'")
        cursor.execute("UPDATE users SET created_at = '2026-11-26 10:39:42.000' WHERE id = 'w'")
    migrate()
    with database.cursor() as cursor:
        cursor.execute("SELECT created_at FROM users ORDER BY id")
        assert cursor.fetchall() == [("2026-11-26 10:39:42.843000",), ("2026-11-26 10:39:42",)]
    for user in User.objects.using(ALIAS).all():
        for lookup in ("created_at", "created_at__gte", "created_at__lte"):
            assert User.objects.using(ALIAS).filter(pk=user.pk, **{lookup: user.created_at}).exists(), lookup


def test_tables_of_an_old_database_give_moments_as_new_ones_do(database: Any) -> None:
    migrate()
    new = {row for row in schema(database) if row[0] == "table"}
    migrate("ops", "0006")
    migrate("prompts", "0013")
    with database.cursor() as cursor:
        # As Django's own Now() made them.
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute(
            "UPDATE sqlite_master SET sql = replace(sql, %s, %s)",
            [
                "(replace(strftime('%Y-%m-%d %H:%M:%f','now')||'000','.000000',''))",
                "(STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW'))",
            ],
        )
        cursor.execute("PRAGMA writable_schema = OFF")
    database.close()
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO users(id, email) VALUES ('u', 'a@example.com')")
        cursor.execute("SELECT length(created_at) FROM users")
        assert cursor.fetchone() == (23,)
        cursor.execute("INSERT INTO prompts(id, user_id, title, content) VALUES ('p', 'u', 'T', 'C')")
    migrate()
    assert {row for row in schema(database) if row[0] == "table"} == new
    with database.cursor() as cursor:
        cursor.execute("SELECT id, user_id FROM prompts")
        assert cursor.fetchall() == [("p", "u")]
    database.check_constraints()
