"""A collection on a plane: a sample of its items, near where their embeddings are near.

By principal components (PCA), with NumPy alone and always the same for the same items; or by UMAP, which
keeps neighbourhoods better and takes far longer, where the package ``umap-learn`` is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vectors import browsing_sql
from vectors.codec import Matrix, unit
from vectors.errors import InvalidQuery, shown
from vectors.index.codes import Ids
from vectors.index.kmeans import Numbers, centroids_of, two_lists
from vectors.models import Collection, Metric
from vectors.reading import vectors_by_id
from vectors.rows import execute, reading_alias
from vectors.sql import Tables

METHODS: Final = ("pca", "umap")
MAX_ITEMS: Final = 5_000
CLUSTERS: Final = 8
# Numbers of embeddings that are projected while somebody waits: 5,000 × 768 take 0.2 s, reading included.
_QUICK: Final = 4_000_000
# Directions that are looked for beside the two wanted, and rounds: the shares of variance are then those of
# a whole decomposition to four digits, in a tenth of its time.
_WIDTH: Final = 16
_ROUNDS: Final = 12
_SEED: Final = 1
# Digits of a position that anybody could see.
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """Which items are projected: `ids` int64 (n,), ascending, out of `rows` in all.

    It goes by a hash of the ids, so the same collection gives the same sample. An id stands for one embedding
    for ever: where `revision` is the same, so is every projection.
    """

    ids: Ids
    rows: int
    revision: str

    @property
    def is_whole(self) -> bool:
        return len(self.ids) == self.rows


@dataclass(frozen=True, slots=True)
class Projection:
    """Where items are: `points` float32 (n, 2) for the `ids` int64 (n,), in no unit.

    `clusters` int32 (n,) are 0, 1, … with the largest first, found among the embeddings, not the points.
    `explained` are the shares, 0…1, of the variance that the two directions have; none with UMAP.
    """

    ids: Ids
    points: Matrix
    clusters: Numbers
    explained: tuple[float, float] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "ids": self.ids.tolist(),
            "points": np.round(self.points.astype(np.float64), _DIGITS).tolist(),
            "clusters": self.clusters.tolist(),
            "explained": self.explained,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Projection:
        return cls(
            np.array(value["ids"], np.int64),
            np.array(value["points"], np.float32).reshape(-1, 2),
            np.array(value["clusters"], np.int32),
            tuple(value["explained"]) if value["explained"] else None,
        )


def has_umap() -> bool:
    """Is the package there? It is imported when it is used: that takes seconds."""
    return find_spec("umap") is not None


def methods() -> list[str]:
    """Those that can be used here."""
    return [one for one in METHODS if one != "umap" or has_umap()]


def draw_sample(collection: Collection, *, most: int = MAX_ITEMS, using: str | None = None) -> Sample:
    """Up to `most` items of a collection, all of it where it is smaller."""
    rows = execute(reading_alias(collection, using), browsing_sql.sample(Tables.of(collection), most))
    ids = np.array(sorted(row[0] for row in rows), np.int64)
    stamp = f"{collection.pk} {collection.generation} ".encode() + ids.tobytes()
    return Sample(ids, rows[0][1] if rows else 0, sha256(stamp).hexdigest()[:32])


def is_quick(sample: Sample, collection: Collection, method: str) -> bool:
    """Will it be done in less than a third of a second?"""
    return method == "pca" and len(sample.ids) * collection.dimensions <= _QUICK


def project(
    collection: Collection, sample: Sample, method: str = "pca", *, using: str | None = None
) -> Projection:
    """The items of a sample on a plane; those that were deleted meanwhile are left out.

    Under cosine only the directions of embeddings count. Raises InvalidQuery for a method that is unknown or
    not installed.
    """
    if method not in METHODS:
        raise InvalidQuery("method", " or ".join(METHODS), shown(method))
    if method == "umap" and not has_umap():
        expected, hint = "the package umap-learn", "Run `pip install umap-learn`, or choose pca."
        raise InvalidQuery("method", expected, "no such package", hint)
    ids, rows = vectors_by_id(Tables.of(collection), reading_alias(collection, using), sample.ids)
    sound = np.isfinite(rows).all(axis=1)
    ids, rows = ids[sound], rows[sound]
    if collection.metric == Metric.COSINE:
        rows = unit(rows)
    explained = None
    if method == "umap" and len(rows) > _WIDTH:  # of fewer it makes nothing
        points = _umap(rows, collection.metric)
    else:
        points, explained = principal_components(rows)
    return Projection(ids, points, _clusters(rows), explained)


def principal_components(rows: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """Positions along the two directions of the greatest variance, float32 (n, 2), and its shares, 0…1.

    `rows` is float32 (n, d). By subspace iteration (Halko, Martinsson and Tropp, 2011) from a fixed start. A
    direction may point either way: here its largest component is positive, so that maps do not flip.
    """
    if len(rows) < 2:
        return np.zeros((len(rows), 2), np.float32), (0.0, 0.0)
    centred = rows - rows.mean(axis=0)
    total = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64))
    start = np.random.default_rng(_SEED).standard_normal((rows.shape[1], _WIDTH)).astype(np.float32)
    basis, _ = np.linalg.qr(start)
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, lengths, turned = np.linalg.svd(centred @ basis, full_matrices=False)
    axes = basis @ turned[:2].T
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] + np.float32(1e-30))
    points = np.zeros((len(rows), 2), np.float32)
    points[:, : axes.shape[1]] = centred @ axes
    shares = [float(length) ** 2 / total if total else 0.0 for length in (*lengths[:2], 0.0, 0.0)]
    return points, (shares[0], shares[1])


def _umap(rows: Matrix, metric: str) -> Matrix:
    import umap  # type: ignore[import-not-found]

    made = umap.UMAP(
        n_components=2,
        n_neighbors=min(15, len(rows) - 1),
        metric="cosine" if metric == Metric.COSINE else "euclidean",
        random_state=_SEED,
        n_jobs=1,  # what a fixed state takes anyway, and it warns of otherwise
    )
    points: Matrix = np.asarray(made.fit_transform(rows), np.float32)
    return points


def _clusters(rows: Matrix) -> Numbers:
    """By k-means, numbered by size."""
    count = min(CLUSTERS, len(rows) // 2)
    if count < 2:
        return np.zeros(len(rows), np.int32)
    found = two_lists(rows, centroids_of(rows, count))[:, 0]
    order: npt.NDArray[np.intp] = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    places = np.empty(count, np.int32)
    places[order] = np.arange(count, dtype=np.int32)
    numbers: Numbers = places[found]
    return numbers
