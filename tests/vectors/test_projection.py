"""Items on a plane: as NumPy's own decomposition has them, and always the same."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.cache import cache

from tests.vectors.clouds import cloud, collect
from vectors import projection_cache, store
from vectors.errors import InvalidQuery
from vectors.projection import (
    Projection,
    draw_sample,
    has_umap,
    is_quick,
    methods,
    principal_components,
    project,
)
from vectors.store import Item

pytestmark = pytest.mark.django_db


def test_components_are_those_of_a_whole_decomposition():
    rows = np.random.default_rng(3).standard_normal((300, 40)).astype(np.float32)
    rows *= np.linspace(3, 0.1, 40, dtype=np.float32)
    points, explained = principal_components(rows)
    centred = rows - rows.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    assert explained == pytest.approx((lengths**2 / (lengths**2).sum())[:2], rel=1e-3)
    for at in (0, 1):
        assert abs(np.corrcoef(points[:, at], centred @ axes[at])[0, 1]) > 0.999


@pytest.mark.parametrize(("rows", "dimensions"), [(0, 4), (1, 4), (2, 1), (3, 2), (5, 300)])
def test_few_rows_and_few_dimensions_have_places_too(rows, dimensions):
    matrix = np.random.default_rng(1).standard_normal((rows, dimensions)).astype(np.float32)
    points, explained = principal_components(matrix)
    assert points.shape == (rows, 2)
    assert np.isfinite(points).all()
    assert 0 <= sum(explained) <= 1 + 1e-5
    same, _ = principal_components(np.ones((5, 3), np.float32))
    assert not same.any()


def test_a_projection_is_the_same_every_time_and_survives_json():
    collection = collect(cloud(400))
    sample = draw_sample(collection)
    first, again = project(collection, sample), project(collection, draw_sample(collection))
    assert np.array_equal(first.points, again.points)
    assert np.array_equal(first.clusters, again.clusters)
    sizes = np.bincount(first.clusters)
    assert list(sizes) == sorted(sizes, reverse=True)
    back = Projection.from_json(first.as_json())
    assert np.array_equal(back.ids, first.ids)
    assert np.allclose(back.points, first.points, atol=1e-4)


def test_a_sample_is_from_everywhere_and_changes_with_the_items_alone():
    collection = collect(cloud(1_000))
    sample = draw_sample(collection, most=100)
    assert (len(sample.ids), sample.rows, sample.is_whole) == (100, 1_000, False)
    assert np.histogram(sample.ids, bins=5, range=(1, 1_000))[0].min() >= 15
    whole = draw_sample(collection).revision
    key, same = "k7", cloud(1_000)[7]
    store.upsert(collection, [Item(key, store.get(collection, key).text, metadata={"a": 1}, vector=same)])
    assert draw_sample(collection).revision == whole
    store.upsert(collection, [Item(key, "another text", vector=same)])
    assert draw_sample(collection).revision != whole


def test_it_is_kept_until_its_items_are_others():
    cache.clear()
    collection = collect(cloud(50))
    sample = draw_sample(collection)
    assert projection_cache.kept(sample, "pca") is None
    made = projection_cache.keep(collection, "pca", sample)
    assert np.array_equal(projection_cache.kept(sample, "pca").ids, made.ids)
    store.delete(collection, ["k1"])
    assert projection_cache.kept(draw_sample(collection), "pca") is None


def test_rows_that_are_no_numbers_and_rows_that_are_gone_are_left_out():
    collection = collect(cloud(30))
    sample = draw_sample(collection)
    store.delete(collection, ["k3"])
    assert len(project(collection, sample).ids) == 29


def test_methods_that_are_not_there_are_refused():
    collection = collect(cloud(30))
    sample = draw_sample(collection)
    assert is_quick(sample, collection, "pca")
    assert not is_quick(sample, collection, "umap")
    with pytest.raises(InvalidQuery, match="expected pca or umap, got 'tsne'"):
        project(collection, sample, "tsne")
    if not has_umap():
        assert methods() == ["pca"]
        with pytest.raises(InvalidQuery, match="pip install umap-learn"):
            project(collection, sample, "umap")


def test_umap_is_asked_with_a_fixed_state_where_it_is_there(monkeypatch):
    asked = {}

    class Umap:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, rows):
            return rows[:, :2].astype(np.float64)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Umap))
    monkeypatch.setattr("vectors.projection.find_spec", lambda name: object())
    collection = collect(cloud(30))
    made = project(collection, draw_sample(collection), "umap")
    assert (made.points.dtype, made.explained) == (np.float32, None)
    assert (asked["random_state"], asked["metric"], asked["n_neighbors"]) == (1, "cosine", 15)
    assert methods() == ["pca", "umap"]
