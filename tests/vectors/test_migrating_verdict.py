"""The verdict tells a better embedding from a worse one, in figures that can be checked."""

from typing import Any

import pytest

from tests.vectors.migrating import EMBEDDERS
from tests.vectors.test_migrating import command, fill
from vectors import store
from vectors.errors import EmbedderError
from vectors.migrating import changing, filling
from vectors.migrating.errors import InvalidMigration
from vectors.migrating.models import EmbeddingMigration
from vectors.migrating.verdict import advise, judge
from vectors.models import Collection
from vectors.relevance.models import Judgement, JudgementSource, hash_query
from vectors.store import Item

pytestmark = pytest.mark.django_db(transaction=True)
QUERIES = 20


@pytest.fixture(autouse=True)
def _embedders(settings: Any) -> None:
    settings.AFN_EMBEDDERS = EMBEDDERS


def judged(embedder: str) -> Collection:
    """Queries whose words are in no text; what they mean is known to the embedder `synonyms`."""
    collection = store.create_collection("notes", embedder=embedder)
    store.upsert(collection, [Item(f"k{at}", f"word{at}") for at in range(200)])
    for at in range(QUERIES):
        query = f"word{at}x"
        Judgement.objects.create(
            collection=collection,
            query=query,
            query_hash=hash_query(query),
            key=f"k{at}",
            grade=1,
            source=JudgementSource.API,
        )
    return collection


def migrated(collection: Collection, embedder: str) -> EmbeddingMigration:
    migration = changing.start(changing.plan(collection, embedder), {})
    fill(migration)
    return migration


def test_a_better_embedding_is_recommended():
    verdict = judge(migrated(judged("fake"), "synonyms"))
    assert verdict["advice"] == "switch"
    assert verdict["text"].startswith("Switch: nDCG@10 of hybrid search changes by +")
    assert (verdict["relevance"]["source"], verdict["relevance"]["n"]) == ("judgements", QUERIES)
    for mode in ("hybrid", "semantic"):
        figures = verdict["relevance"][mode]
        assert figures["new"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
        assert figures["old"]["mean"] < 0.2
        change = figures["difference"]
        assert change["mean"] == pytest.approx(1 - figures["old"]["mean"], abs=1e-4)
        assert 0 < change["low"] <= change["mean"] <= change["high"] <= 1
    assert verdict["rows"] == {"old": 200, "new": 200, "missing": 0}
    assert verdict["bytes"] == {"old": 200 * 256, "new": 200 * 256}
    assert 0 <= verdict["overlap@10"] < 0.5
    assert verdict["queries"] == QUERIES
    for which in ("old", "new"):
        assert verdict["p50_ms"][which]["search"] > 0
    state = command("notes", "--status")
    assert state["verdict"] == verdict
    assert (state["live"], state["rows"], state["rows_missing"]) == ("old", 200, 0)
    assert command("notes", "--switch")["live"] == "new"
    # The other way round, from the same spaces.
    assert judge(changing.get(store.get_collection("notes")))["relevance"] == verdict["relevance"]


def test_a_worse_embedding_is_advised_against_and_has_to_be_forced():
    migration = migrated(judged("synonyms"), "fake")
    with pytest.raises(SystemExit) as ended:
        command("notes", "--verdict")
    assert ended.value.code == 1
    migration.refresh_from_db()
    assert (migration.verdict["advice"], migration.verdict["relevance"]["hybrid"]["old"]["mean"]) == (
        "stay",
        1.0,
    )
    with pytest.raises(InvalidMigration, match="a verdict in favour, got Do not switch"):
        changing.switch(migration)
    changing.switch(migration, force=True)


def test_without_judgements_queries_are_made_of_the_rows():
    collection = store.create_collection("notes")
    texts = [f"Of word{at} we say very little here. And much more of other{at} is said." for at in range(40)]
    store.upsert(collection, [Item(f"k{at}", text) for at, text in enumerate(texts)])
    verdict = judge(migrated(collection, "other"))
    assert (verdict["relevance"]["source"], verdict["relevance"]["n"]) == ("known-items", 40)
    # Both embed alike, so nothing changes.
    assert verdict["relevance"]["hybrid"]["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert verdict["overlap@10"] == 1.0
    assert verdict["advice"] == "switch"
    assert verdict["text"].startswith("Safe to switch, though no gain is certain")


def test_rows_that_make_no_query_are_compared_by_their_own_texts():
    collection = store.create_collection("notes")
    store.upsert(collection, [Item(f"k{at}", f"word{at}") for at in range(20)])
    verdict = judge(migrated(collection, "other"))
    assert (verdict["relevance"], verdict["overlap@10"], verdict["queries"]) == (None, 1.0, 20)
    assert verdict["advice"] == "undecided"


def test_missing_rows_make_it_incomplete():
    migration = migrated(judged("fake"), "synonyms")
    filling.delete_spare(migration.spare, ["k1"], "default")
    verdict = judge(migration)
    assert (verdict["advice"], verdict["rows"]["missing"]) == ("incomplete", 1)
    with pytest.raises(SystemExit):
        command("notes", "--verdict")


def test_no_verdict_is_stored_where_an_embedder_fails(monkeypatch: pytest.MonkeyPatch):
    migration = migrated(judged("fake"), "synonyms")

    def fail(*_: Any) -> None:
        raise EmbedderError("embedder synonyms", "an answer", "none")

    monkeypatch.setattr(EMBEDDERS["synonyms"] + ".embed", fail)
    with pytest.raises(EmbedderError):
        judge(migration)
    migration.refresh_from_db()
    assert migration.verdict == {}


@pytest.mark.parametrize(
    ("mean", "low", "high", "advice"),
    [
        (0.05, 0.01, 0.09, "switch"),
        (0.001, -0.009, 0.01, "switch"),
        (0.0, -0.02, 0.02, "undecided"),
        (-0.05, -0.09, -0.01, "stay"),
        (-0.001, -0.002, -0.0005, "stay"),
        (0.5, None, None, "undecided"),
    ],
)
def test_the_interval_decides(mean: float, low: float | None, high: float | None, advice: str):
    change = {"mean": mean, "low": low, "high": high}
    relevance = {"n": 9, "hybrid": {"difference": change}}
    assert advise({"rows": {"missing": 0}, "relevance": relevance})[0] == advice
