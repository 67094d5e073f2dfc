"""What metrics cost a request that is answered from memory, which `benchmark_serving` measures."""

import pytest
from django.db import connection

from ops import request_cost


@pytest.mark.django_db(transaction=True)
def test_the_same_request_is_asked_with_and_without_each_part(fake_embedder: None) -> None:
    wrappers = list(connection.execute_wrappers)
    found = request_cost.measure(rounds=2)
    assert set(found["added_ms"]) == {*request_cost.PARTS, request_cost.PARTS_TOGETHER}
    assert found["bare_ms"] > 0
    assert connection.execute_wrappers == wrappers
