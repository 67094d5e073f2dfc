"""Values at the ends of what float32 can hold, and rows that come by other ways than `save`."""

import math
from io import StringIO

import pytest
from django.core import serializers
from django.core.management import call_command

from vectors import store
from vectors.models import Collection
from vectors.search import search
from vectors.store import Item

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stored", "query"),
    [([1e10, 0.0], [1e10, 0.0]), ([1e-14, 0.0], [1e-14, 1e-15]), ([1e17, 0.0], [1e-14, 0.0])],
)
def test_cosine_distances_are_right_at_any_length(stored: list[float], query: list[float]) -> None:
    collection = store.create_collection("extremes", embedder="", dimensions=2)
    store.upsert(collection, [Item("a", "text", vector=stored)])
    [hit] = search(collection, vector=query, mode="semantic").hits
    assert hit.distance is not None
    assert math.isclose(hit.distance, 1 - math.cos(math.atan2(query[1], query[0])), abs_tol=1e-6)


def test_a_collection_that_is_loaded_from_a_dump_has_its_tables() -> None:
    store.create_collection("dumped", embedder="", dimensions=2)
    out = StringIO()
    call_command("dumpdata", "vectors", stdout=out)
    Collection.objects.all().delete()
    for row in serializers.deserialize("json", out.getvalue()):
        row.save()
    collection = store.get_collection("dumped")
    store.upsert(collection, [Item("a", "text", vector=[1.0, 0.0])])
    assert store.count(collection) == 1
