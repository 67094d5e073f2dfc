"""Behind rows of another table a search loses nothing, whichever strategy looks, and none is stale."""

import numpy as np
import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from vectors import store, strategies
from vectors.index.training import rebuild
from vectors.models import Collection
from vectors.search import search
from vectors.store import Item

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, DIMENSIONS = 3_000, 128


@pytest.fixture
def notes() -> Collection:
    """Items whose keys are those of sessions, of which each tenth is kept by "data"."""
    random = np.random.default_rng(11)
    matrix = random.standard_normal((ROWS, DIMENSIONS)).astype("f4")
    made = store.create_collection("notes", embedder="", dimensions=DIMENSIONS, strategy="quantised")
    store.upsert(
        made,
        (
            Item(f"k{at}", text=f"word {at}", vector=row, metadata={"half": at % 2})
            for at, row in enumerate(matrix)
        ),
    )
    now = timezone.now()
    Session.objects.bulk_create(
        Session(session_key=f"k{at}", session_data=str(at % 10), expire_date=now) for at in range(ROWS)
    )
    rebuild(made, lists=20)
    strategies.forget()
    return made


@pytest.mark.parametrize("strategy", ["exact", "quantised", "ivf"])
def test_all_that_are_among_the_rows_are_found(notes: Collection, strategy: str) -> None:
    vector = np.ones(DIMENSIONS, "f4")
    rows = Session.objects.filter(session_data="3").order_by("expire_date")

    found = search(notes, vector=vector, k=1_000, mode="semantic", among=rows, strategy=strategy)
    both = search(notes, vector=vector, k=10, among=rows, filter={"half": 1}, strategy=strategy)
    contradictory = search(notes, vector=vector, among=rows, filter={"half": 0}, strategy=strategy)

    assert {hit.key for hit in found.hits} == {f"k{at}" for at in range(3, ROWS, 10)}
    assert [hit.key for hit in both.hits] == [hit.key for hit in found.hits[:10]]
    assert contradictory.hits == []
    assert search(notes, vector=vector, among=Session.objects.none(), strategy=strategy).hits == []


def test_it_is_asked_anew_each_time_in_all_modes(notes: Collection) -> None:
    rows = Session.objects.filter(session_data="new")
    options = {"vector": np.ones(DIMENSIONS, "f4"), "among": rows}
    modes = ("hybrid", "semantic", "keyword")
    assert [search(notes, "word", mode=mode, **options).hits for mode in modes] == [[], [], []]

    Session.objects.filter(session_key="k7").update(session_data="new")

    for mode in modes:
        assert [hit.key for hit in search(notes, "word", mode=mode, **options).hits] == ["k7"]
