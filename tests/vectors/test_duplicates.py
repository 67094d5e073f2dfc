"""Near-identical items are found in groups, as comparing all of them with NumPy finds them."""

import io
import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vectors.clouds import DIMENSIONS, add, cloud, collect
from vectors import store, strategies
from vectors.duplicates import candidates, finding
from vectors.duplicates.finding import Duplicates, Member, find_duplicates
from vectors.duplicates.similar import similar_to
from vectors.errors import CollectionNotFound, IndexBusy, InvalidQuery
from vectors.index import blocks
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.rows import execute
from vectors.store import Item

COMMITTED = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


def with_copies(rows: int, copies: int, seed: int = 1, noise: float = 0.05) -> np.ndarray:
    """A cloud, of which some rows come again: the same, or a little off."""
    random = np.random.default_rng(seed)
    matrix = cloud(rows, seed)
    chosen = matrix[random.integers(rows, size=copies)]
    off = chosen + noise * random.standard_normal(chosen.shape)
    return np.concatenate([matrix, np.where(random.random((copies, 1)) < 0.3, chosen, off)]).astype("f4")


def all_pairs(matrix: np.ndarray, metric: str, threshold: float) -> set[tuple[int, int]]:
    rows = matrix.astype("f8")
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        near = rows @ rows.T >= threshold
    else:
        near = np.sqrt(((rows[:, np.newaxis] - rows) ** 2).sum(axis=2)) <= threshold
    return {(one, other) for one, other in zip(*np.nonzero(near), strict=True) if one < other}


def check_groups(found: Duplicates, matrix: np.ndarray, metric: str, pairs: set[tuple[int, int]]) -> None:
    """Are members near their representative, and of what is kept are no two rows near each other?"""
    near: dict[int, set[int]] = {}
    for one, other in pairs:
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    centres = {place(group.representative) for group in found.groups}
    members: set[int] = set()
    for group in found.groups:
        centre, mine = place(group.representative), [place(member) for member in group.members]
        assert group.size == 1 + len(mine)
        assert set(mine) <= near[centre]
        assert not members & set(mine)
        members |= set(mine)
        measures = [measure(metric, matrix[centre], matrix[one]) for one in mine]
        assert np.allclose([one.measure for one in group.members], measures, atol=2e-3)
        assert measures == sorted(measures, reverse=metric == "cosine") or len(
            set(np.round(measures, 3))
        ) < len(measures)
        for one, own in zip(mine, measures, strict=True):
            others = [measure(metric, matrix[rival], matrix[one]) for rival in centres & near[one]]
            assert own == pytest.approx(max(others) if metric == "cosine" else min(others), abs=1e-3)
    assert not centres & members
    assert not any(one not in members and other not in members for one, other in pairs)
    assert (found.found, found.duplicates) == (len(found.groups), len(members))


def place(member: Member) -> int:
    return int(member.key[1:])


def search_for(found: Any) -> Duplicates:
    assert found.duplicates == sum(group.size - 1 for group in found.groups)
    return found


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(0, 40),
    copies=st.integers(0, 12),
    seed=st.integers(0, 10_000),
    metric=st.sampled_from(["cosine", "l2"]),
    share=st.floats(0.02, 0.98),
    small=st.booleans(),
)
def test_all_are_found_that_numpy_finds(
    rows: int, copies: int, seed: int, metric: str, share: float, small: bool, monkeypatch: pytest.MonkeyPatch
):
    matrix = with_copies(rows, copies if rows else 0, seed, noise=0.3)
    # A threshold between two pairs, as rounding decides about one that is met exactly.
    measures = [
        measure(metric, matrix[one], matrix[other]) for one, other in combinations(range(len(matrix)), 2)
    ]
    edges = np.unique(
        np.round([one for one in measures if 0.01 < one < (0.99 if metric == "cosine" else 99)], 4)
    )
    at = int(share * len(edges))
    threshold = float(edges[at : at + 2].mean()) if len(edges) else 0.5
    if any(abs(one - threshold) < 1e-5 for one in measures):
        return
    monkeypatch.setattr(candidates, "_ROWS_BYTES", 4 * DIMENSIONS * 7 if small else 2**26)
    monkeypatch.setattr(candidates, "_PRODUCT_BYTES", 4 * 15 if small else 2**25)
    monkeypatch.setattr(blocks, "CHUNK_BYTES", 4 * DIMENSIONS * 5 if small else 2**22)
    collection = collect(matrix, metric=metric)
    found = search_for(find_duplicates(collection, threshold, limit=100))
    collection.delete()
    truth = all_pairs(matrix, metric, threshold)
    check_groups(found, matrix, metric, truth)
    assert (found.rows, found.way) == (len(matrix), "products")


def measure(metric: str, one: np.ndarray, other: np.ndarray) -> float:
    one, other = one.astype("f8"), other.astype("f8")
    if metric == "l2":
        return float(np.linalg.norm(one - other))
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@COMMITTED
@pytest.mark.parametrize(("metric", "threshold"), [("cosine", 0.97), ("l2", 2.0)])
def test_rows_that_share_a_list_are_compared(metric: str, threshold: float):
    matrix = with_copies(2_000, 300)
    collection = collect(matrix[:2_200], "ivf", metric=metric)
    rebuild(collection, lists=40)
    add(collection, matrix[2_200:], 2_200)  # in no list yet
    store.delete(collection, ["k3", "k2201"])
    quick = search_for(find_duplicates(collection, threshold, limit=1_000))
    exact = search_for(find_duplicates(collection, threshold, limit=1_000, exact=True))
    assert (quick.way, exact.way, quick.rows) == ("lists", "products", 2_298)
    gone = {3, 2_201}
    truth = {pair for pair in all_pairs(matrix, metric, threshold) if not gone & set(pair)}
    check_groups(exact, matrix, metric, truth)
    assert len(truth) > 250
    assert quick.duplicates >= 0.98 * exact.duplicates
    pairs = [(place(group.representative), place(one)) for group in quick.groups for one in group.members]
    assert {(min(pair), max(pair)) for pair in pairs} <= truth
    assert {max(pair) > 2_200 for pair in pairs} == {True, False}


@COMMITTED
@pytest.mark.parametrize("strategy", ["quantised", "ivf"])
def test_many_copies_of_one_row_are_one_group(strategy: str):
    matrix = np.concatenate([cloud(500), np.tile(cloud(1, seed=9), (1_500, 1))])
    collection = collect(matrix)
    rebuild(collection, strategy=strategy)
    found = search_for(find_duplicates(collection, 1.0))
    (group,) = found.groups
    assert (group.size, group.representative.key, len(group.members)) == (1_500, "k500", finding.SHOWN)
    assert {member.measure for member in (group.representative, *group.members)} == {1.0}


@COMMITTED
def test_what_hangs_together_by_a_chain_is_not_one_group():
    angles = np.radians([0, 10, 20, 30, 40])
    matrix = np.zeros((5, DIMENSIONS), np.float32)
    matrix[:, 0], matrix[:, 1] = np.cos(angles), np.sin(angles)
    found = search_for(find_duplicates(collect(matrix), 0.98))  # 10 degrees are 0.985, 20 are 0.94
    named = [(group.representative.key, [one.key for one in group.members]) for group in found.groups]
    assert named == [("k1", ["k0", "k2"]), ("k3", ["k4"])]
    assert [one.measure for one in found.groups[0].members] == pytest.approx(
        [np.cos(angles[1])] * 2, abs=1e-5
    )


@COMMITTED
def test_pairs_past_the_limit_of_memory_still_make_groups(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "_MAX_PAIRS", 10)
    monkeypatch.setattr(finding, "_PAIRS_AT_ONCE", 7)
    matrix = cloud(1, seed=3) + 0.01 * np.random.default_rng(1).standard_normal((60, DIMENSIONS)).astype("f4")
    found = search_for(find_duplicates(collect(matrix), 0.9))
    assert found.duplicates >= 55
    truth = all_pairs(matrix, "cosine", 0.9)
    for group in found.groups:
        pairs = [(place(group.representative), place(member)) for member in group.members]
        assert {(min(pair), max(pair)) for pair in pairs} <= truth


@COMMITTED
def test_an_index_that_is_replaced_meanwhile_is_told():
    collection = collect(cloud(2_000), "ivf")
    rebuild(collection, lists=20)

    def replace_first(steps: Any, total: int) -> Any:
        execute("default", (f"DELETE FROM vec_{collection.pk}_lists WHERE list = 7", []))
        return steps

    with pytest.raises(IndexBusy, match="Try again"):
        find_duplicates(collection, wrap=replace_first)


@COMMITTED
def test_a_collection_that_is_deleted_meanwhile_is_told():
    collection = collect(cloud(100))

    def delete(steps: Any, total: int) -> Any:
        store.delete_collection("cloud")
        return steps

    with pytest.raises(CollectionNotFound, match="not deleted meanwhile"):
        find_duplicates(collection, wrap=delete)


@pytest.mark.django_db
def test_many_rows_need_lists_or_patience(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "MAX_ROWS", 20)
    collection = collect(cloud(21))
    with pytest.raises(InvalidQuery, match="21 rows without"):
        find_duplicates(collection)
    assert find_duplicates(collection, exact=True).rows == 21


@pytest.mark.django_db
@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, float("nan")])
def test_a_threshold_that_makes_no_sense_is_refused(threshold: float):
    collection = collect(cloud(2))
    with pytest.raises(InvalidQuery, match="a similarity above 0"):
        find_duplicates(collection, threshold)
    with pytest.raises(InvalidQuery, match="a similarity above 0"):
        similar_to(collection, [], threshold)
    with pytest.raises(InvalidQuery, match="a number from 1"):
        find_duplicates(collection, limit=0)


@pytest.mark.django_db
def test_a_distance_has_no_default():
    with pytest.raises(InvalidQuery, match="a distance from 0"):
        find_duplicates(collect(cloud(2), metric="l2"))


@pytest.fixture
def notes(db: None) -> Collection:
    collection = store.create_collection("notes")
    texts = {"fox": "a red fox", "copy": "a red fox", "tea": "green tea"}
    store.upsert(collection, [Item(key, text, title=f"On {key[:1]}") for key, text in texts.items()])
    store.upsert(collection, [Item("near", "the red fox jumps over a dog today", title="On f")])
    return collection


def test_the_command_shows_groups_and_pairs(notes: Collection):
    said = io.StringIO()
    call_command("find_duplicates", "notes", "--threshold", "0.6", stdout=said, stderr=io.StringIO())
    lines = said.getvalue().splitlines()
    assert lines[0] == "1. 3 items, near fox  On f"
    assert [line.split()[1:] for line in lines[1:3]] == [["near", "On", "f"], ["copy", "On", "c"]]
    assert 0.6 <= float(lines[2].split()[0]) <= float(lines[1].split()[0]) <= 1
    assert lines[-1] == "notes: 2 of 4 items repeat another, in 1 groups"
    said = io.StringIO()
    call_command("find_duplicates", "notes", "--json", "--exact", stdout=said)
    result = json.loads(said.getvalue())
    assert (result["collection"], result["threshold"], result["found"]) == ("notes", 0.95, 0)
    with pytest.raises(CommandError, match="the name of a collection"):
        call_command("find_duplicates", "none")


def test_what_is_about_to_be_saved_is_compared(notes: Collection, embedder: Any):
    items = [
        Item("new", "a red fox", title="On f"),
        Item("other", "blue whales"),
        Item("tea", "green tea", title="On t"),
    ]
    found = similar_to(notes, items)
    assert {key: [one.key for one in some] for key, some in found.items()} == {"new": ["fox"]}
    (fox,) = found["new"]
    assert (fox.title, fox.similarity) == ("On f", pytest.approx(1))
    assert [one.key for one in similar_to(notes, items, 0.5, most=1)["new"]] == ["fox"]
    prepared = store.prepare(notes, items)
    embedder.calls.clear()
    assert similar_to(notes, prepared) == found
    assert store.write(notes, prepared).inserted == 2
    assert embedder.calls == []
    assert similar_to(
        notes, [Item("own", "x", vector=store.vectors_by_key(notes, ["tea"])["tea"])]
    ).keys() == {"own"}
