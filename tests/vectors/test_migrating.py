"""A collection changes its embedding model while it is written to and searched, and loses nothing."""

import io
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.vectors.fakes import FakeEmbedder, OtherEmbedder
from tests.vectors.migrating import EMBEDDERS
from vectors import known, store, strategies
from vectors.catalogue import visible_collections
from vectors.errors import CollectionNotFound, EmbedderError, InvalidItem, InvalidVector, StaleBatch
from vectors.index.training import rebuild
from vectors.migrating import changing, filling, spaces
from vectors.migrating.errors import InvalidMigration, MigrationBusy
from vectors.migrating.filling import Filled, Filling, Pace
from vectors.migrating.models import EmbeddingMigration
from vectors.migrating.signals import switched
from vectors.models import Collection
from vectors.relevance.models import EvaluationRun, Judgement
from vectors.rows import execute
from vectors.search import search
from vectors.store import Item
from vectors.upkeep.verifying import verify

pytestmark = pytest.mark.django_db(transaction=True)
DIMENSIONS = 32


@pytest.fixture(autouse=True)
def _embedders(settings: Any) -> Iterator[None]:
    settings.AFN_EMBEDDERS = EMBEDDERS
    known._known.clear()
    spaces._failed.clear()
    strategies.forget()
    yield
    spaces._failed.clear()


@pytest.fixture
def notes() -> Collection:
    collection = store.create_collection("notes", keyword_weight=0.3)
    store.upsert(collection, [Item(f"k{at}", f"word{at} text", metadata={"n": at}) for at in range(30)])
    return collection


def begin(
    collection: Collection, embedder: str = "other", dimensions: int = DIMENSIONS
) -> EmbeddingMigration:
    return changing.start(changing.plan(collection, embedder, "", dimensions), {})


def fill(migration: EmbeddingMigration, pace: Pace | None = None, **options: Any) -> Filled:
    run = Filling(migration, "default", pace, **options)
    for _ in run.rows():
        pass
    return run.done


def filled(collection: Collection, embedder: str = "other") -> EmbeddingMigration:
    migration = begin(collection, embedder)
    assert fill(migration).lacking == 0
    return migration


def switched_over(collection: Collection) -> EmbeddingMigration:
    migration = filled(collection)
    changing.switch(migration, force=True)
    return migration


def command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("migrate_embeddings", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def dead() -> str:
    """The lease of a process of this machine that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return f"{socket.gethostname()} {process.pid} x"


def fail(*_: Any) -> None:
    raise EmbedderError("embedder other", "an answer", "none")


def rows(collection: Collection) -> dict[str, tuple[Any, ...]]:
    """All that a space holds but ids and embeddings, by key; that every row has both is checked."""
    items = {one.key: one for one in store.iterate(collection)}
    vectors = store.vectors_by_key(collection, items)
    assert vectors.keys() == items.keys()
    maker = {"fake": FakeEmbedder, "other": OtherEmbedder}[collection.embedder](
        dimensions=collection.dimensions
    )
    for key, item in items.items():
        text = f"{item.title}\n{item.text}" if item.title else item.text
        assert np.array_equal(vectors[key], maker.embed([text])[0]), key
    (count,) = execute("default", (f"SELECT count(*) FROM vec_{collection.pk}_fts", []))[0]
    assert count == len(items)
    return {
        key: (one.title, one.text, one.metadata, one.content_hash, one.created_at, one.updated_at)
        for key, one in items.items()
    }


def test_filling_makes_a_second_space_of_the_same_items(notes: Collection):
    migration = begin(notes)
    assert rows(migration.spare) == {}
    done = fill(migration, Pace(batch=7))
    assert (done.written, done.lacking, done.refused) == (30, 0, {})
    assert rows(migration.spare) == rows(notes)
    assert (migration.spare.embedder, migration.spare.dimensions) == ("other", DIMENSIONS)
    assert fill(migration).written == 0


def test_writes_meanwhile_go_to_both(notes: Collection):
    migration = filled(notes)
    store.upsert(
        notes, [Item("k1", "changed"), Item("new", "a new one", title="New"), Item("k2", "word2 text")]
    )
    store.upsert(notes, [Item("k3", "word3 text", metadata={"only": "metadata"})])
    assert store.delete(notes, ["k4", "none"]) == 1
    assert rows(migration.spare) == rows(notes)
    assert changing.count_lacking(migration) == 0
    prepared = store.prepare(notes, [Item("k5", "by two steps")])
    with transaction.atomic():
        store.write(notes, prepared)
        transaction.set_rollback(True)
    assert rows(migration.spare) == rows(notes)
    store.write(notes, prepared)
    assert store.get(migration.spare, "k5").text == "by two steps"


def test_a_write_to_both_asks_once_about_them(notes: Collection):
    filled(notes)

    def asked(write: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as queries:
            write()
        return sum("vector_collections" in query["sql"] for query in queries)

    assert asked(lambda: store.prepare(notes, [Item("a", "new")])) == 1
    prepared = store.prepare(notes, [Item("a", "new")])
    assert asked(lambda: store.write(notes, prepared)) == 1
    assert asked(lambda: store.delete(notes, ["a"])) == 1
    assert asked(lambda: store.delete_matching(notes, {"n": 3})) == 1


def test_what_is_deleted_by_a_filter_and_a_new_schema_count_in_both(notes: Collection):
    migration = filled(notes)
    assert store.delete_matching(notes, {"n": {"gte": 20}}) == 10
    assert rows(migration.spare) == rows(notes)
    store.set_metadata_schema(notes, {"n": {"type": "integer", "indexed": True}})
    migration.spare.refresh_from_db()
    assert migration.spare.metadata_schema == notes.metadata_schema
    changing.switch(migration, force=True)
    for collection in (notes, store.get_collection("notes")):
        with pytest.raises(InvalidItem, match="an integer"):
            store.upsert(collection, [Item("x", "text", metadata={"n": "text"})])
        store.upsert(collection, [Item("x", "text", metadata={"n": 100})])
    assert [hit.key for hit in search("notes", "text", filter={"n": 100}).hits] == ["x"]
    changing.drop(migration)
    other = begin(store.get_collection("notes"), "fake")
    assert other.spare.metadata_schema == migration.live.metadata_schema != {}
    fill(other)
    assert rows(other.spare) == rows(other.live)


def test_what_was_prepared_before_the_migration_began_is_filled_later(notes: Collection):
    prepared = store.prepare(notes, [Item("k1", "changed"), Item("new", "new")])
    migration = begin(notes)
    fill(migration)
    store.write(notes, prepared)
    assert changing.count_lacking(migration) == 2
    assert "k1" not in rows(migration.spare)  # rather none than an old one
    assert fill(migration).written == 2
    assert rows(migration.spare) == rows(notes)


def test_what_changes_while_a_batch_is_embedded_is_left_to_its_writer(
    notes: Collection, monkeypatch: pytest.MonkeyPatch
):
    migration = begin(notes)
    make = filling.make_contents

    def change_meanwhile(*arguments: Any) -> Any:
        monkeypatch.undo()
        made = make(*arguments)
        store.upsert(notes, [Item("k1", "changed"), Item("k2", "word2 text", metadata={"other": 1})])
        store.delete(notes, ["k3"])
        return made

    monkeypatch.setattr(filling, "make_contents", change_meanwhile)
    assert fill(migration).lacking == 0
    assert rows(migration.spare) == rows(notes)
    assert rows(notes)["k1"][1] == "changed"
    assert "k3" not in rows(notes)


def test_no_embedding_is_made_in_a_transaction(notes: Collection, monkeypatch: pytest.MonkeyPatch):
    embed, seen = FakeEmbedder.embed, []

    def watched(self: FakeEmbedder, texts: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return embed(self, texts)

    monkeypatch.setattr(FakeEmbedder, "embed", watched)
    command("notes", "--embedder", "other", "--yes")
    store.upsert(notes, [Item("new", "text")])
    assert set(seen) == {False}


def test_rows_changed_behind_the_back_are_brought_in_step(notes: Collection):
    migration = filled(notes)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM vec_{notes.pk}_items WHERE key = 'k1'")
        cursor.execute(f"""UPDATE vec_{notes.pk}_items SET metadata = '{{"by": "sql"}}' WHERE key = 'k2'""")
    done = fill(migration)
    assert (done.written, done.deleted, done.lacking) == (1, 1, 0)
    assert store.get(migration.spare, "k1") is None
    assert store.get(migration.spare, "k2").metadata == {"by": "sql"}


def test_an_embedder_that_fails_keeps_no_write_from_the_live_space(
    notes: Collection, monkeypatch: pytest.MonkeyPatch
):
    migration = filled(notes)
    asked = []
    monkeypatch.setattr(OtherEmbedder, "embed", lambda *_: asked.append(1) or fail(), raising=False)
    store.upsert(notes, [Item("k1", "changed"), Item("new", "text")])
    store.upsert(notes, [Item("k2", "changed, too")])
    assert len(asked) == 1  # nobody waits for it again and again
    assert store.get(notes, "k1").text == "changed"
    assert store.get(migration.spare, "k1") is None
    assert changing.count_lacking(migration) == 3
    with pytest.raises(EmbedderError):
        fill(migration)
    monkeypatch.undo()
    assert fill(migration).written == 3
    assert rows(migration.spare) == rows(notes)
    spaces._failed.clear()
    store.upsert(notes, [Item("k2", "once more")])
    assert changing.count_lacking(migration) == 0


def test_a_text_that_cannot_be_embedded_keeps_later_ones_from_nothing(
    notes: Collection, monkeypatch: pytest.MonkeyPatch
):
    migration = filled(notes)
    embed = OtherEmbedder.embed

    def embed_some(self: OtherEmbedder, texts: Any) -> Any:
        return embed(self, texts) * np.array([["☃" not in text] for text in texts], np.float32)

    monkeypatch.setattr(OtherEmbedder, "embed", embed_some)
    store.upsert(notes, [Item("snowman", "☃")])
    store.upsert(notes, [Item("later", "a word")])
    assert store.get_many(migration.spare, ["snowman", "later"]).keys() == {"later"}


def test_an_embedder_of_the_live_space_that_fails_is_told(notes: Collection, monkeypatch: pytest.MonkeyPatch):
    migration = switched_over(notes)
    monkeypatch.setattr(OtherEmbedder, "embed", fail, raising=False)
    for collection in (notes, migration.live):
        with pytest.raises(EmbedderError):
            store.upsert(collection, [Item("new", "text")])
    assert store.get(notes, "new") is None


def test_a_text_that_cannot_be_embedded_does_not_keep_the_others_out(
    notes: Collection, monkeypatch: pytest.MonkeyPatch
):
    embed = FakeEmbedder.embed

    def without_direction(self: OtherEmbedder, texts: Any) -> Any:
        return embed(self, texts) * [[0.0] if "word7 " in text else [1.0] for text in texts]

    monkeypatch.setattr(OtherEmbedder, "embed", without_direction, raising=False)
    migration = begin(notes)
    done = fill(migration)
    assert (done.written, done.lacking) == (29, 1)
    assert "zero" in done.refused["k7"]
    with pytest.raises(CommandError, match="1 rows are missing"):
        command("notes", "--yes")


def test_a_forced_switch_keeps_what_the_new_space_lacks_in_the_old(notes: Collection):
    migration = filled(notes)
    with transaction.atomic():
        filling.delete_spare(migration.spare, ["k1", "k2"], "default")
    with pytest.raises(InvalidMigration, match="a verdict, got none"):
        changing.switch(migration)
    EmbeddingMigration.objects.update(verdict={"advice": "switch"})
    migration.refresh_from_db()
    with pytest.raises(InvalidMigration, match="2 missing"):
        changing.switch(migration)
    changing.switch(migration, force=True)
    store.upsert(migration.live, [Item("k2", "again")])
    fill(migration)
    changing.roll_back(migration)
    assert (store.get(notes, "k1").text, store.get(notes, "k2").text) == ("word1 text", "again")


def test_a_switch_exchanges_the_spaces_and_takes_along_what_refers_to_the_name(notes: Collection):
    Judgement.objects.create(collection=notes, query="q", query_hash="h", key="k1", grade=1, source="api")
    EvaluationRun.objects.create(collection=notes, mode="hybrid", source="judgements", n=1)
    store.create_collection("another")
    migration = filled(notes)
    Collection.objects.filter(pk=notes.pk).update(keyword_weight=0.6, strategy="exact")
    heard = []

    def receiver(collection: Collection, **_: object) -> None:
        heard.append((collection.pk, collection.name))

    switched.connect(receiver)
    hidden = migration.spare.name
    changing.switch(migration, force=True)
    new = store.get_collection("notes")
    assert new.pk == migration.live.pk != notes.pk
    assert heard == [(new.pk, "notes")]
    assert (new.embedder, new.keyword_weight, new.strategy) == ("other", 0.6, "exact")
    assert new.created_at == notes.created_at
    assert [one.collection_id for one in (Judgement.objects.get(), EvaluationRun.objects.get())] == [
        new.pk
    ] * 2
    assert [one.name for one in visible_collections()] == ["another", "notes"]
    assert migration.spare.name == hidden
    with pytest.raises(InvalidMigration, match="not switched yet"):
        changing.switch(migration, force=True)
    store.upsert(new, [Item("after", "the switch")])
    store.delete(new, ["k9"])
    changing.roll_back(migration)
    switched.disconnect(receiver)
    old = store.get_collection("notes")
    assert (old.pk, old.embedder, Judgement.objects.get().collection_id) == (notes.pk, "fake", notes.pk)
    assert "after" in rows(old)
    assert "k9" not in rows(old)
    assert rows(old) == rows(migration.spare)
    with pytest.raises(InvalidMigration, match="one that was not"):
        changing.roll_back(migration)


def test_who_read_the_collection_before_the_switch_writes_to_both(notes: Collection):
    prepared = store.prepare(notes, [Item("k1", "before the migration")])
    migration = filled(notes)
    both = store.prepare(notes, [Item("k2", "before the switch")])
    changing.switch(migration, force=True)
    with pytest.raises(StaleBatch):
        store.write(notes, prepared)  # the new space must not go without
    store.write(notes, both)
    store.upsert(notes, [Item("new", "after the switch")])
    assert store.delete(notes, ["k3"]) == 1
    assert rows(migration.live) == rows(migration.spare)
    assert {"new", "k2"} <= rows(migration.live).keys()
    changing.drop(migration)
    for write in (lambda: store.upsert(notes, [Item("x", "text")]), lambda: store.delete(notes, ["k5"])):
        with pytest.raises(CollectionNotFound):
            write()


def test_searches_by_name_go_to_the_new_space_at_once(notes: Collection):
    migration = filled(notes)
    assert search("notes", vector=[1.0] * 64).hits
    changing.switch(migration, force=True)
    assert search("notes", vector=[1.0] * DIMENSIONS).hits
    with pytest.raises(InvalidVector, match="32"):
        search("notes", vector=[1.0] * 64)
    changing.drop(migration)
    assert search("notes", "word3").hits[0].key == "k3"


def test_the_space_that_is_not_searched_goes_at_the_end(notes: Collection):
    def spaces_left() -> set[int]:
        names = connection.introspection.table_names()
        return {int(name.split("_")[1]) for name in names if name.startswith("vec_")}

    migration = filled(notes)
    spare = migration.spare_id
    assert spaces_left() >= {notes.pk, spare}
    assert command("notes", "--drop", "--yes") == {"collection": "notes", "dropped": "new"}
    assert spare not in spaces_left()
    migration = switched_over(notes)
    changing.drop(migration)
    assert notes.pk not in spaces_left()
    migration = filled(store.get_collection("notes"), "fake")
    store.delete_collection("notes")
    assert not {migration.live_id, migration.spare_id} & spaces_left()
    assert not EmbeddingMigration.objects.exists()
    assert not Collection.objects.exists()


def test_the_new_space_has_the_indexes_of_the_old(settings: Any):
    collection = store.create_collection("notes", dimensions=64)
    store.upsert(collection, [Item(f"k{at}", f"word{at}") for at in range(1_200)])
    rebuild(collection, lists=20)
    migration = filled(collection)
    assert migration.spare.index.lists > 0
    assert migration.spare.index.rows == 1_200
    assert search(migration.spare, "word7", mode="semantic", strategy="ivf").hits[0].key == "k7"


def test_one_process_fills_at_a_time(notes: Collection):
    migration = begin(notes)
    run = Filling(migration, "default", Pace(batch=5)).rows()
    next(run)
    with pytest.raises(MigrationBusy, match="one that nobody fills"):
        fill(migration)
    assert command("notes", "--status")["filled_by"]
    # It lies still on another machine, or is dead on this one.
    for filler, at in (("elsewhere 1 x", timezone.now() - timedelta(minutes=3)), (dead(), timezone.now())):
        EmbeddingMigration.objects.update(filler=filler, filler_at=at)
        assert command("notes", "--status")["filled_by"] is None
    fill(migration)
    EmbeddingMigration.objects.update(filler="elsewhere 1 x", filler_at=timezone.now())
    with pytest.raises(MigrationBusy, match="elsewhere"):
        fill(migration)
    store.upsert(notes, [Item("more", "text")])


def test_a_filling_stops_where_the_spaces_change_under_it(notes: Collection):
    for change in (lambda one: changing.switch(one, force=True), changing.drop):
        migration = begin(notes)
        run = Filling(migration, "default", Pace(batch=5)).rows()
        next(run)
        change(changing.get(notes))
        with pytest.raises(MigrationBusy, match="goes on as it began"):
            list(run)
        if change is not changing.drop:
            changing.roll_back(changing.get(store.get_collection("notes")), force=True)


def test_the_rate_is_kept(notes: Collection):
    now, pauses = [0.0], []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    fill(begin(notes), Pace(batch=100, rate=0.5), pause=pause, clock=lambda: now[0])
    assert now[0] == pytest.approx(60)
    assert max(pauses) <= 10  # between two signs of life


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["none", "--embedder", "other"], "the name of a collection"),
        (["notes"], "Name the new embedder"),
        (["notes", "--embedder", "none-such"], "one of fake, openai"),
        (["notes", "--embedder", "fake"], "another one than the collection has"),
        (["own", "--embedder", "other"], "one that an embedder made"),
        (["notes", "--embedder", "other", "--batch", "0"], "a number from 1"),
        (["notes", "--embedder", "other", "--rate", "0"], "more than 0"),
        (["notes", "--embedder", "other", "--rate", "nan"], "more than 0"),
        (["notes", "--verdict"], "one that is being migrated"),
        (["notes", "--switch"], "one that is being migrated"),
        (["notes", "--rollback"], "one that is being migrated"),
        (["notes", "--drop", "--yes"], "one that is being migrated"),
        (["notes", "--status"], "one that is being migrated"),
    ],
)
def test_wrong_input_is_told_and_changes_nothing(notes: Collection, arguments: list[str], error: str):
    store.create_collection("own", embedder="", dimensions=4)
    with pytest.raises(CommandError, match=error):
        command(*arguments, *([] if "--drop" in arguments else ["--yes"]))
    assert not EmbeddingMigration.objects.exists()
    assert Collection.objects.count() == 2


def test_a_second_migration_waits_for_the_end_of_the_first(notes: Collection):
    migration = filled(notes)
    with pytest.raises(CommandError, match="to which 'notes' is being migrated"):
        command("notes", "--embedder", "synonyms", "--yes")
    for hidden in ([migration.spare.name], [migration.spare.name, "--embedder", "synonyms"]):
        with pytest.raises(CommandError, match="the name of a collection"):
            command(*hidden, "--yes")
    assert begin(notes).pk == migration.pk


def test_who_read_the_collection_before_a_switch_does_not_migrate_the_old_space(notes: Collection):
    change = changing.plan(notes, "synonyms")
    migration = switched_over(notes)
    with pytest.raises(MigrationBusy, match="got a switch, an end, or another filler"):
        changing.start(change, {})
    assert list(EmbeddingMigration.objects.all()) == [migration]


def test_who_ends_a_migration_does_not_delete_what_is_searched_by_now(notes: Collection):
    switched_over(notes)
    asked = changing.get(store.get_collection("notes"))  # then somebody thinks about the question
    changing.roll_back(changing.get(store.get_collection("notes")))
    with pytest.raises(MigrationBusy, match="got a switch, an end, or another filler"):
        changing.drop(asked)
    now = store.get_collection("notes")
    assert (now.pk, store.count(now)) == (notes.pk, 30)
    changing.drop(changing.get(now))
    with pytest.raises(MigrationBusy):
        changing.drop(asked)
    assert list(Collection.objects.all()) == [notes]


def test_what_was_written_and_deleted_after_a_switch_stays_so_after_going_back(notes: Collection):
    migration = switched_over(notes)
    new = store.get_collection("notes")
    store.upsert(new, [Item("k1", "changed"), Item("x", "new"), Item("k2", "word2 text", metadata={"n": 99})])
    store.delete(new, ["k3"])
    store.delete_matching(new, {"n": 5})
    before = {key: row[:4] for key, row in rows(new).items()}
    changing.roll_back(migration)
    old = store.get_collection("notes")
    assert old.pk == notes.pk
    assert {key: row[:4] for key, row in rows(old).items()} == before
    assert (len(before), before["k1"][1], before["k2"][2]) == (29, "changed", {"n": 99})


def test_nothing_is_done_unless_it_is_confirmed(notes: Collection, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(CommandError, match="confirm with --yes"):
        command("notes", "--embedder", "other")
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    for answer, is_done in (("no", False), ("y", True)):
        monkeypatch.setattr("builtins.input", lambda answer=answer: answer)
        if is_done:
            assert command("notes", "--embedder", "other", "--dimensions", "32")["written"] == 30
        else:
            with pytest.raises(CommandError, match="Nothing was done"):
                command("notes", "--embedder", "other")
        assert EmbeddingMigration.objects.exists() is is_done


def test_the_cost_is_estimated_before(notes: Collection):
    store.upsert(notes, [Item("ja", "東京の狐" * 100, title="狐")])
    result = command("notes", "--embedder", "other", "--yes", "--batch", "10", "--price", "2")
    cost = result["estimate"]
    others = sum(len(f"word{at} text") for at in range(30))
    assert (cost["rows"], cost["characters"], cost["batches"]) == (31, 401 + others, 4)
    assert cost["tokens"]["cjk"] == pytest.approx(401, rel=0.1)
    assert cost["tokens"]["other"] == pytest.approx(others / 4, rel=0.2)
    assert cost["price"] == pytest.approx(2 * sum(cost["tokens"].values()) / 1e6, abs=1e-4)
    assert (result["written"], result["rows_missing"]) == (31, 0)
    store.upsert(notes, [Item("more", "text")])
    assert command("notes", "--yes")["estimate"]["rows"] == 0


def test_people_can_read_it_all(notes: Collection):
    said = io.StringIO()

    def run(*arguments: str) -> str:
        said.truncate(said.seek(0))
        call_command("migrate_embeddings", "notes", *arguments, "--yes", stdout=said, stderr=io.StringIO())
        return said.getvalue()

    texts = [f"Of word{at} we say a little. And more of other{at} is said." for at in range(30)]
    store.upsert(notes, [Item(f"k{at}", text) for at, text in enumerate(texts)])
    assert "30 written, 0 missing" in run("--embedder", "other", "--price", "0.02")
    assert "There is no verdict yet." in run("--status")
    assert "nDCG@10 hybrid" in run("--verdict")
    assert "new: other (other-1, 64 dimensions), searched" in run("--switch", "--force")
    assert "Set AFN_EMBEDDER=other" in run("--status")
    assert "Done." in run()
    assert "old: fake (words, 64 dimensions), searched" in run("--rollback")
    assert "notes is in fake (words, 64 dimensions); the new space is gone." in run("--drop")


def test_both_spaces_are_checked_and_mended(notes: Collection, capsys: pytest.CaptureFixture[str]):
    migration = filled(notes)
    before = rows(migration.spare)
    report = verify(notes)
    assert report.is_sound
    assert report.spare is not None
    assert (report.rows, report.spare.rows, report.spare.found) == (30, 30, 30)
    spare = f"vec_{migration.spare.pk}"
    for statement in (
        f"DELETE FROM {spare}_vectors WHERE id = 3",
        f"UPDATE {spare}_vectors SET embedding = zeroblob({4 * DIMENSIONS}) WHERE id = 4",
        f"UPDATE {spare}_items SET text = 'other' WHERE id = 5",
        f"DELETE FROM {spare}_fts WHERE rowid = 6",
        f"DELETE FROM vec_{notes.pk}_fts WHERE rowid = 7",
    ):
        execute("default", (statement, []))
    with pytest.raises(CommandError, match="5 faults in 'notes'"):
        call_command("verify_vectors", "notes")
    said = capsys.readouterr().out
    assert "notes: 30 rows" in said
    assert "notes, the space that is not searched: 30 rows" in said
    call_command("verify_vectors", "notes", "--repair", "--json")
    result = json.loads(capsys.readouterr().out)
    assert (result["sound"], result["other_space"]["sound"]) == (True, True)
    assert [one["check"] for one in result["repaired"]] == ["text"]
    mended = {one["check"] for one in result["other_space"]["repaired"]}
    assert mended == {"text", "embeddings", "hashes"}
    assert rows(migration.spare) == before


def test_embeddings_of_callers_are_no_fault_of_the_other_space(notes: Collection):
    vector = np.arange(1, 65, dtype=np.float32)
    store.upsert(notes, [Item("own", "own text", vector=vector)])
    migration = filled(notes)
    assert verify(notes).is_sound
    changing.switch(migration, force=True)
    new = store.get_collection("notes")
    assert verify(new).is_sound
    changing.drop(migration)
    assert verify(new).is_sound
    assert store.upsert(new, [Item("own", "own text")]).unchanged == 1
