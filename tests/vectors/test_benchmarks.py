"""The benchmark measures real searches and leaves nothing behind."""

import numpy as np
import pytest

from vectors.benchmarks import measure_quantised
from vectors.models import Collection


@pytest.mark.django_db(transaction=True)
def test_it_measures_both_strategies_and_cleans_up():
    array = np.random.default_rng(1).standard_normal((1_200, 32)).astype(np.float16)
    figures = measure_quantised(array, queries=20)
    assert (figures.rows, figures.dimensions, figures.queries) == (1_180, 32, 20)
    assert figures.exact.recall == 1.0
    assert 0.5 < figures.quantised.recall <= 1.0
    assert figures.speedup > 0
    assert not Collection.objects.exists()
