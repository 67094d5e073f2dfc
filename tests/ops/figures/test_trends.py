"""Totals of every minute, and what they say of the minutes between them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from ops.figures import keeping
from ops.figures.counting import totals
from ops.figures.models import FigureMinute
from ops.figures.trends import Trend, trends

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _as_just_started() -> None:
    keeping.forget()


def minute(ago: int, source: str = "a", **values: Any) -> None:
    FigureMinute.objects.create(source=source, at=NOW - timedelta(minutes=ago), values=values)


def read() -> dict[str, Trend]:
    return {one.name: one for one in trends(now=NOW)}


def test_rates_are_of_what_has_grown_on_all_machines() -> None:
    for source, step in (("a", 60), ("b", 40)):
        for ago in range(6):
            minute(ago, source, requests=1_000 - ago * step, hits=0, misses=0, search={}, waiting=ago)

    found = read()

    assert found["requests"].now == pytest.approx(100)
    assert found["queue"].now == 0
    assert found["hit-rate"].now is None


def test_a_process_that_starts_anew_counts_from_nothing() -> None:
    minute(3, requests=5_000, hits=100, misses=0, search={})
    minute(1, requests=20, hits=3, misses=1, search={})

    found = read()

    assert found["requests"].now == pytest.approx(10)  # a minute, of two
    assert found["hit-rate"].now == pytest.approx(75)


def test_of_a_time_when_nobody_ran_nothing_is_said() -> None:
    minute(40, requests=100, hits=0, misses=0, search={})
    minute(1, requests=9_000, hits=0, misses=0, search={})

    assert [value for _at, value in read()["requests"].points if value is not None] == []
    assert read()["requests"].chart.is_empty


def test_the_latency_is_that_of_the_histogram() -> None:
    minute(2, requests=0, hits=0, misses=0, search={"0.01": 0, "0.1": 0, "+Inf": 0})
    minute(1, requests=0, hits=0, misses=0, search={"0.01": 90, "0.1": 100, "+Inf": 100})

    assert read()["search"].now == pytest.approx(1_000 * (0.01 + 0.09 * 5 / 10))


def test_a_minute_is_kept_once_and_for_a_week() -> None:
    minute(8 * 24 * 60)

    for second in (0, 20, 59):
        keeping.keep(NOW + timedelta(seconds=second), None)
    assert not keeping.wants(NOW + timedelta(seconds=30))
    keeping.forget()  # another process of the same source
    keeping.keep(NOW, None)

    assert [one.at for one in FigureMinute.objects.all()] == [NOW]


def test_totals_are_what_prometheus_counts() -> None:
    registry = CollectorRegistry()
    served = Counter("afn_prompts_served", "", ["source"], registry=registry)
    for source, count in (("memory", 5), ("shared", 2), ("miss", 3), ("none", 9)):
        served.labels(source).inc(count)
    Counter("django_http_requests_before_middlewares", "", registry=registry).inc(19)
    answers = Counter("django_http_responses_total_by_status", "", ["status"], registry=registry)
    answers.labels("200").inc(4)
    answers.labels("503").inc(2)
    Histogram("vector_search_latency_seconds", "", buckets=[0.1, 1.0], registry=registry).observe(0.5)

    found = totals(None, registry.collect())

    assert found == {
        "requests": 19, "errors": 2, "hits": 7, "misses": 3, "waiting": None,
        "search": {"0.1": 0, "1.0": 1, "+Inf": 1},
    }  # fmt: skip
